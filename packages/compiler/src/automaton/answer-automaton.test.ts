import { matchNext, smallTable } from "@keelson/bpf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerAutomaton } from "./answer-automaton.ts";
import { matchAnswer } from "./executor.ts";

import { naiveAnswer, nearlyAnswers, someAnswer } from "./testing/answers.ts";
import { bytesOf } from "./testing/arbitrary.ts";

const automaton = answerAutomaton();
const verdict = (text: string) => matchAnswer(automaton, bytesOf(text));
const head = (...lines: string[]): string => [...lines, "", ""].join("\r\n");

test("it fits the smallest table", () => {
  expect(automaton.entries.length).toBeLessThanOrEqual(2 * smallTable);
});

test("values that nobody asks for stay in one row, so that a reader may pass over them", () => {
  const { entries } = automaton;
  const places = [...entries.keys()].filter((index) => index % 2 === 0 && entries[index] === index / 2);
  const staying = places.filter((index) => entries[index + 1] === ((index / 2) | matchNext.stays.value));
  expect(staying.length).toBeGreaterThan(0);
  for (const index of staying)
    for (let byte = 0x20; byte <= 0x7e; byte++) expect(entries[index + 2 * byte]).not.toBe(index / 2);
});

test("an answer's head is read to its end, and what is needed of it is known", () => {
  const text = head("HTTP/1.1 200 OK", "Server: a/1.2", "content-length: 120", "Connection: Keep-Alive");
  expect(verdict(`${text}200`)).toEqual({ status: 200, headLength: text.length, contentLength: 120 });
});

test("an answer that says no length differs from one of length 0", () => {
  expect(verdict(head("HTTP/1.1 204 No Content"))).toMatchObject({ status: 204, contentLength: undefined });
  expect(verdict(head("HTTP/1.1 200 OK", "Content-Length: 0"))).toMatchObject({ contentLength: 0 });
});

test.each(["HTTP/1.1 101 ", "HTTP/1.1 100 Continue", "HTTP/1.1 599 a\tb: c"])("the status of %j", (line) => {
  expect(verdict(head(line))).toMatchObject({ status: Number(line.slice(9, 12)) });
});

describe("what is not strict is the relay's", () => {
  test.each([
    ["version", head("HTTP/1.0 200 OK")],
    ["version", head("HTTP/2 200")],
    ["version", head("ICY 200 OK")],
    ["byte", head("HTTP/1.1 200")],
    ["byte", head("HTTP/1.1 2000 OK")],
    ["byte", head("HTTP/1.1 20 OK")],
    ["byte", head("HTTP/1.1 099 OK")],
    ["byte", head("HTTP/1.1 600 OK")],
    ["byte", head("HTTP/1.1 200 \xe9")],
    ["byte", "HTTP/1.1 200 OK\n\n"],
    ["byte", head("HTTP/1.1 200 OK", "Content-Length : 1")],
    ["byte", head("HTTP/1.1 200 OK", "a: b", " folded")],
    ["framing", head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")],
    ["framing", head("HTTP/1.1 200 OK", "Upgrade: h2c")],
    ["framing", head("HTTP/1.1 200 OK", "Trailer: digest")],
    ["framing", head("HTTP/1.1 407 No", "Proxy-Authenticate: Basic")],
    ["repeated", head("HTTP/1.1 200 OK", "Content-Length: 1", "content-length: 1")],
    ["repeated", head("HTTP/1.1 200 OK", "Connection: keep-alive", "Connection: keep-alive")],
    ["valueForm", head("HTTP/1.1 200 OK", "Content-Length: 1000000000")],
    ["valueForm", head("HTTP/1.1 200 OK", "Content-Length: 1, 1")],
    ["valueForm", head("HTTP/1.1 200 OK", "Content-Length:")],
    ["valueForm", head("HTTP/1.1 200 OK", "Content-Length: 1 ")],
    ["valueForm", head("HTTP/1.1 200 OK", "Connection: close")],
    ["unfinished", head("HTTP/1.1 200 OK").slice(0, -1)],
    ["unfinished", ""],
  ])("%s: %j", (relay, text) => {
    expect(verdict(text)).toEqual({ relay });
  });
});

test("it says what a reader says that goes by lines, of answers and of what is nearly one", () => {
  let strict = 0;
  fc.assert(
    fc.property(fc.oneof(someAnswer, nearlyAnswers), (text) => {
      const found = verdict(text);
      const expected = naiveAnswer(text);
      if (expected !== undefined) strict++;
      expect("relay" in found ? undefined : found).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
  expect(strict).toBeGreaterThan(300);
});

test("bytes of any kind give a verdict", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (noise, kept) => {
      const start = bytesOf(head("HTTP/1.1 200 OK", "Content-Length: 12", "Connection: keep-alive"));
      const text = Buffer.concat([start.subarray(0, kept), noise]);
      const found = matchAnswer(automaton, text);
      const expected = naiveAnswer(text.toString("latin1"));
      expect("relay" in found ? undefined : found).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});
