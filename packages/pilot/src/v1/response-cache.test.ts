import fc from "fast-check";
import { expect, test } from "vitest";
import { ResponseCache } from "./response-cache.ts";

const body = (text: string): Buffer => Buffer.from(text);
const large = 1_000_000;

test("an answer is kept until all are forgotten; the counts stay", () => {
  const cache = new ResponseCache(large);
  expect(cache.get("a")).toBeUndefined();
  cache.set("a", body("1"));
  expect(cache.get("a")).toEqual(body("1"));
  cache.flush();
  expect(cache.get("a")).toBeUndefined();
  expect(cache.statistics()).toEqual({ a: { hit: 1, miss: 1 } });
  cache.set("a", body("2"));
  expect(cache.statistics()).toEqual({ a: { hit: 1, miss: 2 } });
  cache.resetStatistics();
  expect(cache.statistics()).toEqual({ a: { hit: 0, miss: 0 } });
  expect(cache.get("a")).toEqual(body("2"));
});

test("counts are sorted by key", () => {
  const cache = new ResponseCache(large);
  for (const key of ["b", "a", "c"]) cache.set(key, body(""));
  expect(Object.keys(cache.statistics())).toEqual(["a", "b", "c"]);
});

test("where there is no more room, what was not asked for the longest goes", () => {
  const cache = new ResponseCache(3 * 1300);
  for (const key of ["a", "b", "c"]) cache.set(key, body("x".repeat(1000)));
  cache.get("a");
  cache.set("d", body("x".repeat(1000)));
  expect(Object.keys(cache.statistics())).toEqual(["a", "c", "d"]);
});

test("an answer larger than all the room is not kept, and pushes nothing out", () => {
  const cache = new ResponseCache(1000);
  cache.set("a", body("1"));
  cache.set("b", body("x".repeat(1000)));
  expect(cache.get("b")).toBeUndefined();
  expect(cache.get("a")).toEqual(body("1"));
});

type Step = readonly ["set", string, number] | readonly ["get", string] | readonly ["flush"];

test("it never holds more than it may, and only what was last set", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e");
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(fc.constant("set" as const), key, fc.nat(600)),
    fc.tuple(fc.constant("get" as const), key),
    fc.tuple(fc.constant("flush" as const)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new ResponseCache(1500);
      const last = new Map<string, Buffer>();
      for (const [what, name = "", size = 0] of steps) {
        if (what === "set") {
          last.set(name, body(`${name}${"x".repeat(size)}`));
          cache.set(name, last.get(name) ?? body(""));
        } else if (what === "flush") {
          last.clear();
          cache.flush();
        } else {
          const found = cache.get(name);
          if (found !== undefined) expect(found).toBe(last.get(name));
        }
        const held = [...last].filter(([each]) => each in cache.statistics());
        const bytes = held.reduce((sum, [each]) => sum + (cache.get(each)?.length ?? 0), 0);
        expect(bytes).toBeLessThanOrEqual(1500);
      }
    }),
  );
});
