/** What a caller speaks, by the first bytes that it sends. */
export type Spoken = "http1" | "http2" | "tls" | "other";

/** RFC 9113 3.4. */
export const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** RFC 9110 9.1: a method is a token; one of at most 20 characters and the target's first are enough to tell. */
const requestLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20} [\x21-\x7e]/;
const startOfRequestLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20} ?$/;

/** RFC 8446 5.1: a handshake record of a TLS version. */
const handshakeRecord = 0x16;
const tlsMajorVersion = 0x03;

/** @returns undefined: more bytes are needed to tell */
export function spokenIn(bytes: Buffer): Spoken | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] === handshakeRecord) {
    if (bytes.length === 1) return undefined;
    return bytes[1] === tlsMajorVersion ? "tls" : "other";
  }
  const text = bytes.toString("latin1", 0, http2Preface.length);
  if (http2Preface.startsWith(text)) return text.length === http2Preface.length ? "http2" : undefined;
  if (text.startsWith(http2Preface.slice(0, 16))) return "other";
  if (requestLine.test(text)) return "http1";
  return startOfRequestLine.test(text) ? undefined : "other";
}
