import { create } from "@bufbuild/protobuf";
import { type HttpMatch, HttpMatchSchema } from "@keelson/protos/match";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { match } from "./executor.ts";
import { type MatchAutomaton, matchAutomaton } from "./match-automaton.ts";
import { naiveRule, type PlainRequest } from "./testing/naive.ts";

type Init = Parameters<typeof create<typeof HttpMatchSchema>>[1];
const matchOf = (init: Init): HttpMatch => create(HttpMatchSchema, init);
const exact = (value: string) => ({ how: { case: "exact" as const, value } });
const prefix = (value: string) => ({ how: { case: "prefix" as const, value } });
const regex = (value: string) => ({ how: { case: "regex" as const, value } });

function automatonOf(...rules: (readonly Init[])[]): MatchAutomaton {
  const made = matchAutomaton(rules.map((matches) => matches.map(matchOf)));
  if ("unfit" in made) throw new Error(made.unfit);
  return made;
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");
const head = (line: string, ...headers: string[]): string =>
  [line, "Host: reviews", ...headers, "", ""].join("\r\n");
const verdict = (automaton: MatchAutomaton, text: string) => match(automaton, bytesOf(text));

test("a head is read to its end, and what is needed of it is known", () => {
  const automaton = automatonOf([]);
  const text = head("POST /a HTTP/1.1", "Content-Length: 120");
  expect(verdict(automaton, `${text}body`)).toEqual({
    rule: 0,
    headLength: text.length,
    contentLength: 120,
    isHead: false,
  });
  expect(verdict(automaton, head("HEAD / HTTP/1.1"))).toMatchObject({ isHead: true, contentLength: 0 });
});

test("the first rule that holds counts; without one, none", () => {
  const automaton = automatonOf(
    [{ uri: prefix("/ratings"), headers: [{ name: "end-user", value: exact("jason") }] }],
    [{ uri: prefix("/rat") }],
    [
      { method: exact("PUT") },
      { headers: [{ name: "cookie", value: regex("^(.*?;)?(user=jason)(;.*)?$") }] },
    ],
  );
  const ruleOf = (line: string, ...headers: string[]) => verdict(automaton, head(line, ...headers));
  expect(ruleOf("GET /ratings/1 HTTP/1.1", "End-User: jason")).toMatchObject({ rule: 0 });
  expect(ruleOf("GET /ratings/1 HTTP/1.1", "END-USER:jason2")).toMatchObject({ rule: 1 });
  expect(ruleOf("GET /ratings/1?x=/../ HTTP/1.1")).toMatchObject({ rule: 1 });
  expect(ruleOf("PUT /other HTTP/1.1")).toMatchObject({ rule: 2 });
  expect(ruleOf("GET /other HTTP/1.1", "Cookie: a=b; user=jason")).toMatchObject({ rule: undefined });
  expect(ruleOf("GET /other HTTP/1.1", "Cookie: a=b;user=jason;c=d")).toMatchObject({ rule: 2 });
  expect(ruleOf("GET /other HTTP/1.1")).toMatchObject({ rule: undefined });
});

describe("what is not strict is the relay's", () => {
  const automaton = automatonOf([{ uri: prefix("/a"), headers: [{ name: "x", value: exact("1") }] }]);
  test.each([
    ["a byte that has no place there", head("GET /a HTTP/1.1", "a b: c")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", "a : c")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", " folded")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", "a: b\nc: d")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", "a: b\rc")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", "a: \0")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", "a: \xe9")],
    ["a byte that has no place there", head("GET /a HTTP/1.1", ": c")],
    ["a byte that has no place there", head("GET /a\tHTTP/1.1")],
    ["a byte that has no place there", head("\r\nGET /a HTTP/1.1")],
    ["a method that is not known", head("CONNECT reviews:80 HTTP/1.1")],
    ["a method that is not known", head("get /a HTTP/1.1")],
    ["a byte that has no place there", "\x16\x03\x01\x02\x00\x01"],
    ["a method that is not known", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["a target that is not a path", head("OPTIONS * HTTP/1.1")],
    ["a target that is not a path", head("GET http://reviews/a HTTP/1.1")],
    ["a target that is not a path", head("GET  /a HTTP/1.1")],
    ["a target that is not a path", head("GET /a#b HTTP/1.1")],
    ["a path that must be normalised first", head("GET /%61 HTTP/1.1")],
    ["a path that must be normalised first", head("GET //a HTTP/1.1")],
    ["a path that must be normalised first", head("GET /./a HTTP/1.1")],
    ["a path that must be normalised first", head("GET /b/../a HTTP/1.1")],
    ["a path that must be normalised first", head("GET /a/.. HTTP/1.1")],
    ["a path that must be normalised first", head("GET /a;b HTTP/1.1")],
    ["not HTTP/1.1", head("GET /a HTTP/1.0")],
    ["a byte that has no place there", head("GET /a HTTP/1.1 ")],
    ["framing, or a hop that must be looked at", head("POST /a HTTP/1.1", "Transfer-Encoding: chunked")],
    ["framing, or a hop that must be looked at", head("GET /a HTTP/1.1", "Upgrade: websocket")],
    ["framing, or a hop that must be looked at", head("GET /a HTTP/1.1", "Expect: 100-continue")],
    ["framing, or a hop that must be looked at", head("GET /a HTTP/1.1", "Proxy-Connection: keep-alive")],
    ["a header that comes twice", head("GET /a HTTP/1.1", "X: 1", "x: 1")],
    ["a header that comes twice", head("GET /a HTTP/1.1", "Content-Length: 1", "Content-Length: 1")],
    ["a header that comes twice", head("GET /a HTTP/1.1", "Host: ratings")],
    ["a value of a form that must be looked at", head("GET /a HTTP/1.1", "Content-Length: +1")],
    ["a value of a form that must be looked at", head("GET /a HTTP/1.1", "Content-Length: 1,1")],
    ["a value of a form that must be looked at", head("GET /a HTTP/1.1", "Content-Length:")],
    ["a value of a form that must be looked at", head("GET /a HTTP/1.1", "Content-Length: 4294967296")],
    ["a value of a form that must be looked at", head("GET /a HTTP/1.1", "Connection: close")],
    ["a value of a form that must be looked at", head("GET /a HTTP/1.1", "X: 1 ")],
    ["a value of a form that must be looked at", "GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n"],
    ["no host", "GET /a HTTP/1.1\r\nX: 1\r\n\r\n"],
    ["a head that is not whole", head("GET /a HTTP/1.1").slice(0, -1)],
  ])("%s: %j", (relay, text) => {
    expect(verdict(automaton, text)).toEqual({ relay });
  });

  test("paths may be written in any way where no rule looks at them", () => {
    const without = automatonOf([{ headers: [{ name: "x", value: exact("1") }] }]);
    expect(verdict(without, head("GET //%61/../b HTTP/1.1", "x: 1"))).toMatchObject({ rule: 0 });
  });

  test.each([...Array(head("GET /a HTTP/1.1", "X: 1").length).keys()])(
    "a head cut after %d bytes",
    (length) => {
      const text = head("GET /a HTTP/1.1", "X: 1").slice(0, length);
      expect(verdict(automaton, text)).toEqual({ relay: "a head that is not whole" });
    },
  );
});

/** Rules and requests over few words, so that they meet. */
const word = fc.constantFrom("a", "ab", "b", "A", "v1", "x-y");
const path = fc.array(word, { maxLength: 3 }).map((words) => `/${words.join("/")}`);
const pattern = fc.constantFrom(
  "/a.*",
  ".*b",
  "/(a|ab)/[a-z]+[0-9]?",
  "(?i)/A/?.*",
  String.raw`/\w+\b.*`,
  String.raw`.*\Bb.*`,
  "^/a$|^/b$",
  "[^b]*",
  "a*",
  "v[0-9]",
  "",
  "*",
);
const text = (value: fc.Arbitrary<string>) =>
  fc.oneof(value.map(exact), value.map(prefix), pattern.filter((one) => one !== "*").map(regex));
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const headerMatch = fc.record({
  name: fc.constantFrom("x", "x-version", "cookie"),
  value: maybe(text(word)),
  invert: fc.boolean(),
});
const httpMatch = fc
  .record({
    uri: maybe(text(path)),
    ignoreUriCase: fc.boolean(),
    wholeSegments: fc.boolean(),
    method: maybe(text(fc.constantFrom("GET", "POST", "PUT"))),
    authority: maybe(text(fc.constantFrom("a", "b:80"))),
    headers: fc.array(headerMatch, { maxLength: 3 }),
  })
  .map(({ uri, method, authority, ...rest }) =>
    matchOf({
      ...rest,
      ...(uri && { uri }),
      ...(method && { method }),
      ...(authority && { authority }),
    }),
  );
const rules = fc.array(fc.array(httpMatch, { maxLength: 2 }), { maxLength: 6 });
const request: fc.Arbitrary<PlainRequest> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH"),
    path,
    host: fc.constantFrom("a", "b", "b:80"),
    headers: fc.uniqueArray(fc.tuple(fc.constantFrom("x", "X-Version", "cookie", "other"), word), {
      selector: ([name]) => name,
    }),
  })
  .map(({ host, headers, ...rest }) => ({ ...rest, headers: [["Host", host], ...headers] }));

test("it finds the rule that a matcher finds which looks at one after another", () => {
  fc.assert(
    fc.property(rules, fc.array(request, { minLength: 5, maxLength: 5 }), (made, requests) => {
      const automaton = matchAutomaton(made);
      if ("unfit" in automaton) throw new Error(automaton.unfit);
      for (const one of requests) {
        const lines = one.headers.map(([name, value]) => `${name}: ${value}`);
        const raw = [`${one.method} ${one.path}?q HTTP/1.1`, ...lines, "", ""].join("\r\n");
        expect(match(automaton, bytesOf(raw))).toMatchObject({ rule: naiveRule(made, one) });
      }
    }),
    { numRuns: 400 },
  );
});

test("bytes of any kind give a verdict", () => {
  const automaton = automatonOf([{ uri: prefix("/a"), headers: [{ name: "x", value: regex("a+b") }] }]);
  const piece = fc.constantFrom(
    "GET ",
    "/a",
    " HTTP/1.1",
    "\r\n",
    "x: ",
    "aab",
    "Host: a",
    "\r",
    "\n",
    " ",
    "\xff",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const raw = pieces.join("");
      const found = verdict(automaton, raw);
      if ("relay" in found) return;
      expect(raw.slice(0, found.headLength).endsWith("\r\n\r\n")).toBe(true);
    }),
  );
});

describe("what does not fit is the relay's, with the reason", () => {
  test.each<[string, readonly Init[]]>([
    ["looks at query parameters", [{ queryParameters: [{ name: "a" }] }]],
    ["looks at who calls", [{ source: { namespace: "default" } }]],
    ["looks at :path as a header", [{ headers: [{ name: ":path" }] }]],
    [
      "looks at more than 24 headers",
      [{ headers: Array.from({ length: 25 }, (_, index) => ({ name: `h${index}` })) }],
    ],
    ["needs more than 250000 states", [{ uri: regex(".*a.{20}") }]],
  ])("%s", (unfit, matches) => {
    expect(matchAutomaton([matches.map(matchOf)])).toEqual({ unfit });
  });
});
