import type { ResponseHead } from "../message.ts";

/** A head as its bytes, in latin1. Fields were read by a strict parser: none of them holds a line's end. */
export function responseText({ status, reason, rawHeaders }: ResponseHead): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  return `${text}\r\n`;
}
