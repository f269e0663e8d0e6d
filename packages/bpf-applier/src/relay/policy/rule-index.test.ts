import { create } from "@bufbuild/protobuf";
import { someRequest, someRules } from "@keelson/compiler/automaton/testing";
import { HttpMatchSchema } from "@keelson/protos/match";
import fc from "fast-check";
import { expect, test } from "vitest";
import { requestMatcher } from "./matchers.ts";
import { parseRequest } from "./parsed-request.ts";
import { RuleIndex } from "./rule-index.ts";
import { regex } from "./testing/builders.ts";

const caller = { workload: undefined, address: "10.0.0.9", port: 40_000 };

/** Of some requests, a header's value is none of ASCII's. */
const requests = fc.tuple(someRequest, fc.constantFrom("", "é", "\t")).map(([request, more]) => {
  const headers = request.headers.map(
    ([name, value]) => [name, name === "x" ? value + more : value] as const,
  );
  const authority = headers.find(([name]) => name === "Host")?.[1] ?? "";
  const head = { method: request.method, path: `${request.path}?q`, authority, scheme: "http" as const };
  const parsed = parseRequest({ ...head, rawHeaders: headers.flat() });
  if (typeof parsed === "number") throw new Error(`refused with ${parsed}`);
  return parsed;
});

test("the first rule that holds is found, as if all were asked in order", () => {
  fc.assert(
    fc.property(someRules, fc.array(requests, { minLength: 1, maxLength: 10 }), (rules, asked) => {
      const items = rules
        .flatMap((matches) => (matches.length === 0 ? [undefined] : matches))
        .map((match) => ({ match, holds: match === undefined ? () => true : requestMatcher(match) }));
      const index = new RuleIndex(items);
      for (const request of asked) {
        expect(index.find(request, caller)).toBe(items.find(({ holds }) => holds(request, caller)));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("of many rules with expressions none is asked by itself whether its expression matches", () => {
  let asked = 0;
  const items = Array.from({ length: 1_000 }, (_, rule) => {
    const match = create(HttpMatchSchema, { uri: regex(`/group-${rule}/[0-9]+`) });
    const matches = requestMatcher(match);
    const holds: typeof matches = (...what) => {
      asked++;
      return matches(...what);
    };
    return { match, holds };
  });
  const index = new RuleIndex(items);
  const find = (path: string) => {
    const request = parseRequest({ method: "GET", path, authority: "a", scheme: "http", rawHeaders: [] });
    return typeof request === "number" ? undefined : index.find(request, caller);
  };
  expect(find("/group-999/7")).toBe(items[999]);
  expect(find("/group-99/70")).toBe(items[99]);
  expect(find("/group-/7")).toBeUndefined();
  expect(asked).toBe(0);
});
