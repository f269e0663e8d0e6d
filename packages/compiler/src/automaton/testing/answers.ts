import fc from "fast-check";
import type { AnswerVerdict } from "../executor.ts";

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const visible = /^[\x20-\x7e]*$/;
const relayedName = /^(transfer-encoding|upgrade|trailer|proxy-.*)$/;

/**
 * What an answer's head says, the slow way: by lines (RFC 9112 sections 4 and 5).
 * @returns undefined: not for the kernel, or not whole
 */
export function naiveAnswer(text: string): Exclude<AnswerVerdict, { relay: unknown }> | undefined {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, Math.max(end, 0)).split("\r\n");
  const status = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e]*$/.exec(statusLine)?.[1];
  const fields = lines.map(fieldOf);
  if (end === -1 || status === undefined || !fields.every((field) => field !== undefined)) return undefined;
  if (fields.some(([name]) => relayedName.test(name))) return undefined;
  const valuesOf = (wanted: string) => fields.filter(([name]) => name === wanted).map(([, value]) => value);
  const [length, ...moreLengths] = valuesOf("content-length");
  const [connection, ...moreConnections] = valuesOf("connection");
  if (moreLengths.length > 0 || !/^ *[0-9]{1,9}$/.test(length ?? "0")) return undefined;
  if (moreConnections.length > 0 || !/^ *keep-alive$/i.test(connection ?? "keep-alive")) return undefined;
  return {
    status: Number(status),
    headLength: end + 4,
    contentLength: length === undefined ? undefined : Number(length),
  };
}

/** Undefined: not a field as the kernel reads it. */
function fieldOf(line: string): readonly [name: string, value: string] | undefined {
  const colon = line.indexOf(":");
  const [name, value] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)];
  return token.test(name) && visible.test(value) ? [name.toLowerCase(), value] : undefined;
}

const statusLine = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 304 ") },
  { weight: 2, arbitrary: fc.integer({ min: 100, max: 599 }).map((status) => `HTTP/1.1 ${status} a\tb`) },
  fc.constantFrom(
    "HTTP/1.1 200",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 600 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1 200 \x7f",
    "HTTP/1.1 200 \xe9",
    "http/1.1 200 OK",
    "HTTP/2 200",
  ),
);
const field = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "Date: Mon, 01 Jan 2024 00:00:00 GMT",
      "Server:",
      "X-Host: a",
      "Keep-Alive: timeout=5",
      "Content-Type: text/html; charset=utf-8",
      "Host: 12",
    ),
  },
  { weight: 2, arbitrary: fc.nat(1_999_999_999).map((length) => `Content-Length: ${length}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("Connection: keep-alive", "connection:Keep-Alive", "CONTENT-LENGTH:007"),
  },
  fc.constantFrom(
    "Connection: close",
    "Connection: keep-alive, Upgrade",
    "Connection: keep-alive ",
    "Content-Length: ",
    "Content-Length: 1 ",
    "Content-Length: +1",
    "Content-Length: 1, 1",
    "Transfer-Encoding: chunked",
    "TRANSFER-ENCODING : chunked",
    "Upgrade: h2c",
    "Trailer: a",
    "Proxy-Authenticate: Basic",
    " folded",
    ": nameless",
    "a\tb: c",
    "a: b\tc",
    "a: b\nc: d",
    "a: b\rc",
    "a: \0",
    "a: \xff",
  ),
);

/** Heads of answers, most of them strict, each with bytes of its content behind it. */
export const someAnswer: fc.Arbitrary<string> = fc
  .tuple(statusLine, fc.array(field, { maxLength: 4 }), fc.constantFrom("", "content", "\r\n\r\n"))
  .map(([first, fields, content]) => `${[first, ...fields, "", ""].join("\r\n")}${content}`);

/** The same with some bytes taken out, doubled, or put in. */
export const nearlyAnswers: fc.Arbitrary<string> = fc
  .tuple(someAnswer, fc.nat(), fc.nat({ max: 3 }), fc.constantFrom("", "\r", "\n", " ", "1", ":", "\t", "\0"))
  .map(([text, at, gone, put]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + gone);
  });
