import type { RequestToSend } from "../policy/types.ts";
import type { Call } from "./call.ts";
import { forwardedFields } from "./header-fields.ts";
import type { OutgoingRequest } from "./message.ts";

/** A request as it goes to an endpoint: what was for the caller's connection only is gone, the body ends as the caller's. */
export function outgoingRequest(toSend: RequestToSend, { bodyFraming, upgrade }: Call): OutgoingRequest {
  const { method, path, authority } = toSend;
  const rawHeaders = forwardedFields(toSend.rawHeaders, upgrade !== undefined);
  return { method, target: path, authority, rawHeaders, body: bodyFraming };
}
