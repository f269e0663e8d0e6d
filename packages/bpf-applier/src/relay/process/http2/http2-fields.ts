import type { OutgoingHttpHeaders } from "node:http";
import { forwardedFields, type RawFields } from "../header-fields.ts";

/** RFC 9113 8.2.2, and Host, which :authority stands for. */
const unknownToHttp2: ReadonlySet<string> = new Set(["host", "transfer-encoding"]);

/** Fields as HTTP/2 has them: names in lower case, none that is for one connection (RFC 9113 8.2). */
export function http2Fields(fields: RawFields): string[] {
  const kept: string[] = [];
  const forwarded = forwardedFields(fields, false);
  for (let at = 0; at < forwarded.length; at += 2) {
    const name = (forwarded[at] as string).toLowerCase();
    if (!unknownToHttp2.has(name)) kept.push(name, forwarded[at + 1] as string);
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

/** As Node takes trailers and 1xx: fields of one name in one list. */
export function headersObject(fields: RawFields): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    headers[name] = [...(headers[name] ?? []), fields[at + 1] as string];
  }
  return headers;
}

/** Value of a pseudo field; undefined: it is not there. */
export function pseudo(raw: RawFields, name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) return raw[at + 1];
  return undefined;
}
