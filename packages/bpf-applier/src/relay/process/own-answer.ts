import { STATUS_CODES } from "node:http";
import type { Call } from "./call.ts";

const noBody: ReadonlySet<number> = new Set([204, 304]);

/** An answer that no endpoint gave: with Date and a length, as an origin's (RFC 9110 6.6.1, 8.6). */
export function answerItself(
  call: Call,
  status: number,
  rawHeaders: readonly string[],
  body: Uint8Array,
): void {
  const bodiless = noBody.has(status);
  const fields = [...rawHeaders, "date", new Date().toUTCString()];
  if (!bodiless) fields.push("content-length", String(body.length));
  const empty = bodiless || body.length === 0 || call.head.method === "HEAD";
  call.answer({ status, reason: STATUS_CODES[status] ?? "", rawHeaders: fields }, empty ? "none" : "length");
  if (!empty) call.write(Buffer.from(body));
  call.end([]);
}
