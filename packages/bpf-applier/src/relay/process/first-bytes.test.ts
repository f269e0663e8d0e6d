import { expect, test } from "vitest";
import { http2Preface, spokenIn } from "./first-bytes.ts";

test.each([
  ["http1", "GET /a HTTP/1.1\r\n"],
  ["http1", "M-SEARCH * HTTP/1.1\r\n"],
  ["http1", "PRIVATE / HTTP/1.1\r\n"],
  ["http2", http2Preface],
  ["tls", "\x16\x03\x01\x02\x00"],
  ["other", "\x16\x02"],
  ["other", "\x00\x01\x02"],
  ["other", "SSH-2.0-OpenSSH\r\n"],
  ["other", "PRI * HTTP/2.0\r\n\r\nno more"],
] as const)("%s: %j, and nothing before that can be told", (spoken, text) => {
  const bytes = Buffer.from(text, "latin1");
  expect(spokenIn(bytes)).toBe(spoken);
  for (let length = 0; length < bytes.length; length++) {
    expect([undefined, spoken]).toContain(spokenIn(bytes.subarray(0, length)));
  }
});
