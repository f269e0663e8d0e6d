import { expect, test } from "vitest";
import { formatHostPort, parseListenAddress } from "./listen-address.ts";

test.each([
  [":8080", "::", 8080],
  ["127.0.0.1:8080", "127.0.0.1", 8080],
  ["[::1]:0", "::1", 0],
  ["[::]:15010", "::", 15010],
  ["localhost:65535", "localhost", 65535],
])("%s", (text, host, port) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
});

test.each([
  "",
  "8080",
  "localhost",
  "localhost:",
  "::1:8080",
  "[::1]",
  "[x]:80",
  ":65536",
  ":-1",
  ":1.5",
  "a b:1",
  "[:]:1",
])("%j is none, and the message says what would be", (text) => {
  expect(() => parseListenAddress(text)).toThrow(
    `"${text}" is no listening address; use host:port or :port, such as 127.0.0.1:15010 or :15010`,
  );
});

test("what is written is read again", () => {
  for (const text of ["127.0.0.1:80", "[::1]:80", "localhost:0"]) {
    expect(formatHostPort(parseListenAddress(text))).toBe(text);
  }
});
