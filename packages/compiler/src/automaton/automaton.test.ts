import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { match } from "./executor.ts";
import { type MatchAutomaton, matchAutomaton } from "./match-automaton.ts";
import {
  bytesOf,
  exact,
  headOf,
  type Init,
  matchOf,
  nearlyHeads,
  prefix,
  regex,
  someRequest,
  someRules,
} from "./testing/arbitrary.ts";
import { naiveRule } from "./testing/naive.ts";

function automatonOf(...rules: (readonly Init[])[]): MatchAutomaton {
  const made = matchAutomaton(rules.map((matches) => matches.map(matchOf)));
  if ("unfit" in made) throw new Error(made.unfit);
  return made;
}

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
    ["byte", head("GET /a HTTP/1.1", "a b: c")],
    ["byte", head("GET /a HTTP/1.1", "a : c")],
    ["byte", head("GET /a HTTP/1.1", " folded")],
    ["byte", head("GET /a HTTP/1.1", "a: b\nc: d")],
    ["byte", head("GET /a HTTP/1.1", "a: b\rc")],
    ["byte", head("GET /a HTTP/1.1", "a: \0")],
    ["byte", head("GET /a HTTP/1.1", "a: \xe9")],
    ["byte", head("GET /a HTTP/1.1", ": c")],
    ["byte", head("GET /a\tHTTP/1.1")],
    ["byte", head("\r\nGET /a HTTP/1.1")],
    ["method", head("CONNECT reviews:80 HTTP/1.1")],
    ["method", head("get /a HTTP/1.1")],
    ["byte", "\x16\x03\x01\x02\x00\x01"],
    ["method", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["target", head("OPTIONS * HTTP/1.1")],
    ["target", head("GET http://reviews/a HTTP/1.1")],
    ["target", head("GET  /a HTTP/1.1")],
    ["target", head("GET /a#b HTTP/1.1")],
    ["pathForm", head("GET /%61 HTTP/1.1")],
    ["pathForm", head("GET //a HTTP/1.1")],
    ["pathForm", head("GET /./a HTTP/1.1")],
    ["pathForm", head("GET /b/../a HTTP/1.1")],
    ["pathForm", head("GET /a/.. HTTP/1.1")],
    ["pathForm", head("GET /a;b HTTP/1.1")],
    ["pathForm", head("GET /a^b HTTP/1.1")],
    ["pathForm", head('GET /"a" HTTP/1.1')],
    ["pathForm", head("GET /a\\b HTTP/1.1")],
    ["version", head("GET /a HTTP/1.0")],
    ["byte", head("GET /a HTTP/1.1 ")],
    ["framing", head("POST /a HTTP/1.1", "Transfer-Encoding: chunked")],
    ["framing", head("GET /a HTTP/1.1", "Upgrade: websocket")],
    ["framing", head("GET /a HTTP/1.1", "Expect: 100-continue")],
    ["framing", head("GET /a HTTP/1.1", "Proxy-Connection: keep-alive")],
    ["repeated", head("GET /a HTTP/1.1", "X: 1", "x: 1")],
    ["repeated", head("GET /a HTTP/1.1", "Content-Length: 1", "Content-Length: 1")],
    ["repeated", head("GET /a HTTP/1.1", "Host: ratings")],
    ["valueForm", head("GET /a HTTP/1.1", "Content-Length: +1")],
    ["valueForm", head("GET /a HTTP/1.1", "Content-Length: 1,1")],
    ["valueForm", head("GET /a HTTP/1.1", "Content-Length:")],
    ["valueForm", head("GET /a HTTP/1.1", "Content-Length: 4294967296")],
    ["valueForm", head("GET /a HTTP/1.1", "Connection: close")],
    ["valueForm", head("GET /a HTTP/1.1", "X: 1 ")],
    ["valueForm", "GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n"],
    ["noHost", "GET /a HTTP/1.1\r\nX: 1\r\n\r\n"],
    ["unfinished", head("GET /a HTTP/1.1").slice(0, -1)],
  ])("%s: %j", (relay, text) => {
    expect(verdict(automaton, text)).toEqual({ relay });
  });

  test("paths have their normal form also where no rule looks at them, as endpoints get them so from the relay", () => {
    const without = automatonOf([{ headers: [{ name: "x", value: exact("1") }] }]);
    expect(verdict(without, head("GET /a?%61/../b HTTP/1.1", "x: 1"))).toMatchObject({ rule: 0 });
    expect(verdict(without, head("GET /%61 HTTP/1.1", "x: 1"))).toEqual({ relay: "pathForm" });
  });

  test("paths may be written in any way where there are no rules, and heads are looked at to be counted", () => {
    expect(verdict(automatonOf(), head("GET //%61/../b HTTP/1.1"))).toMatchObject({ contentLength: 0 });
  });

  test.each(["close", "Keep-Alive"])(
    "where there are no rules, it does not matter whether a connection stays: %s",
    (connection) => {
      const counted = head("GET /a HTTP/1.1", `Connection: ${connection}`);
      expect(verdict(automatonOf(), counted)).toMatchObject({ contentLength: 0 });
    },
  );

  test.each([...Array(head("GET /a HTTP/1.1", "X: 1").length).keys()])(
    "a head cut after %d bytes",
    (length) => {
      const text = head("GET /a HTTP/1.1", "X: 1").slice(0, length);
      expect(verdict(automaton, text)).toEqual({ relay: "unfinished" });
    },
  );
});

test("it finds the rule that a matcher finds which looks at one after another", () => {
  fc.assert(
    fc.property(someRules, fc.array(someRequest, { minLength: 5, maxLength: 5 }), (made, requests) => {
      const automaton = matchAutomaton(made);
      if ("unfit" in automaton) throw new Error(automaton.unfit);
      for (const one of requests) {
        expect(match(automaton, bytesOf(headOf(one)))).toMatchObject({ rule: naiveRule(made, one) });
      }
    }),
    { numRuns: 400 },
  );
});

test("bytes of any kind give a verdict", () => {
  const automaton = automatonOf([{ uri: prefix("/a"), headers: [{ name: "x", value: regex("a+b") }] }]);
  fc.assert(
    fc.property(nearlyHeads, (raw) => {
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
