import type { RequestToSend } from "../policy/types.ts";
import type { Call } from "./call.ts";
import { checkedValue, forwardedFields } from "./header-fields.ts";
import type { OutgoingRequest } from "./message.ts";

/** What ends a request's target (RFC 9112 3): blanks and controls; and what is beyond a byte. */
const notOfTargets = /[^\x21-\x7e\x80-\xff]/;

/**
 * A request as it goes to an endpoint: what was for the caller's connection only is gone, the body ends as the caller's.
 * @throws Error where a rule has made a target or authority that would make one request of two
 */
export function outgoingRequest(toSend: RequestToSend, { bodyFraming, upgrade }: Call): OutgoingRequest {
  const { method, path, authority } = toSend;
  if (notOfTargets.test(path)) throw new Error(`no request can be for ${path}`);
  checkedValue(["authority", authority], 0);
  const rawHeaders = forwardedFields(toSend.rawHeaders, upgrade !== undefined);
  return { method, target: path, authority, rawHeaders, body: bodyFraming };
}
