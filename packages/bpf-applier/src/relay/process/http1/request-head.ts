import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../../policy/types.ts";
import type { OutgoingRequest } from "../message.ts";

/** A request's head as routes look at it, and how its body ends. */
export interface ReadRequest {
  readonly head: RequestHead;
  readonly bodyFraming: OutgoingRequest["body"];
}

/**
 * Reads what Node's parser has found sound.
 *
 * @returns undefined where it can be read in two ways: two Hosts, or none in HTTP/1.1 (RFC 9112 3.2)
 */
export function readRequest(request: IncomingMessage): ReadRequest | undefined {
  const { rawHeaders, method = "GET", url = "/" } = request;
  let authority: string | undefined;
  let bodyFraming: OutgoingRequest["body"] = "none";
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    // Most names are not as long as any of the three that count.
    if (name.length !== 4 && name.length !== 14 && name.length !== 17) continue;
    const lower = name.toLowerCase();
    if (lower === "host") {
      if (authority !== undefined) return undefined;
      authority = rawHeaders[at + 1] as string;
    } else if (lower === "transfer-encoding") bodyFraming = "chunked";
    else if (lower === "content-length" && rawHeaders[at + 1] !== "0") bodyFraming = "length";
  }
  if (authority === undefined && request.httpVersionMinor === 1) return undefined;
  return { head: { method, path: url, authority: authority ?? "", scheme: "http", rawHeaders }, bodyFraming };
}
