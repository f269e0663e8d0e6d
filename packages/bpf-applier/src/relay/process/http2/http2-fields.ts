import type { OutgoingHttpHeaders } from "node:http";
import { constants, type Http2Stream } from "node:http2";
import { checkedValue, forwardedFields, type RawFields } from "../header-fields.ts";

/** RFC 9113 8.2.2, and Host, which :authority stands for. */
const unknownToHttp2: ReadonlySet<string> = new Set(["host", "transfer-encoding"]);

/**
 * How a session of Node's takes fields: fields that should have one value and came with more are the peers' matter.
 * Node would throw at them.
 */
export const fieldSettings = { strictSingleValueFields: false };

/**
 * Fields as HTTP/2 has them: names in lower case, none that is for one connection (RFC 9113 8.2).
 * @throws Error for a rule's field that no header can have
 */
export function http2Fields(fields: RawFields): string[] {
  const kept: string[] = [];
  const forwarded = forwardedFields(fields, false);
  for (let at = 0; at < forwarded.length; at += 2) {
    const name = (forwarded[at] as string).toLowerCase();
    if (unknownToHttp2.has(name)) continue;
    const value = checkedValue(forwarded, at);
    // What is left of it may be in any case, which Node does not know.
    kept.push(name, name === "te" ? value.toLowerCase() : value);
  }
  return kept;
}

/** What came over HTTP/2, without pseudo fields; cookies are one field again (RFC 9113 8.2.3). */
export function plainFields(raw: RawFields): string[] {
  const fields: string[] = [];
  let cookieAt = -1;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string;
    const value = raw[at + 1] as string;
    if (name.startsWith(":")) continue;
    if (name !== "cookie") fields.push(name, value);
    else if (cookieAt >= 0) fields[cookieAt] += `; ${value}`;
    else cookieAt = fields.push(name, value) - 1;
  }
  return fields;
}

/** What only a head can say: a peer may take a stream for malformed where it stands elsewhere. */
const ofHeads: ReadonlySet<string> = new Set(["content-length", "te"]);

/** Trailers and 1xx as Node takes them: fields of one name in one list. @throws Error as http2Fields does */
export function headersObject(fields: RawFields): OutgoingHttpHeaders {
  // Without a prototype, whose names fields may have.
  const headers = Object.create(null) as Record<string, string[]>;
  const kept = http2Fields(fields);
  for (let at = 0; at < kept.length; at += 2) {
    const name = kept[at] as string;
    if (ofHeads.has(name)) continue;
    headers[name] ??= [];
    headers[name].push(kept[at + 1] as string);
  }
  return headers;
}

/** Ends a stream's message, where Node asks for trailers: it asks from where nobody catches anything. */
export function sendTrailers(stream: Http2Stream, fields: RawFields): void {
  if (isOver(stream)) return;
  try {
    stream.sendTrailers(headersObject(fields));
  } catch {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

/** Nothing can be sent on it. A stream that its peer ended is closed, but not yet destroyed, while its body is not read. */
export const isOver = (stream: Http2Stream): boolean => stream.destroyed || stream.closed;

/** Value of a pseudo field; undefined: it is not there. */
export function pseudo(raw: RawFields, name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) return raw[at + 1];
  return undefined;
}
