import { expect, test } from "vitest";
import {
  ask,
  exact,
  type MatchInit,
  placeOf,
  portRoute,
  prefix,
  type Question,
  regex,
  routerOf,
  to,
} from "./testing/builders.ts";

const rules = 500;
const named = (number: number): string => `n${number}`;

/** The last of many rules leads to v2, all others to v1. */
const routerOfMany = (matchOf: (number: number) => MatchInit[]) =>
  routerOf(
    ...Array.from({ length: rules }, (_, number) =>
      portRoute({
        name: named(number),
        matches: matchOf(number),
        destinations: to(number === rules - 1 ? "v2" : "v1"),
      }),
    ),
  );

const byCookie = (number: number): MatchInit[] => [
  { uri: prefix("/"), headers: [{ name: "cookie", value: regex(`(.*; )?user=${named(number)}(;.*)?`) }] },
];
const ofCookies = routerOfMany(byCookie);
const cookie = (value: string): Question => ({ headers: ["cookie", value] });
const last = `user=${named(rules - 1)}`;
/** As header fields have it: bytes, each a character. */
const accented = Buffer.from("é", "utf8").toString("latin1");

test("a long text costs no more for many expressions, where they can be looked at all at once", () => {
  expect(placeOf(ofCookies, cookie(`${"x".repeat(60_000)}; ${last}`))).toBe("v2");
  expect(placeOf(ofCookies, cookie(`${"x".repeat(60_000)}; user=nobody`))).toBe(404);
});

test("where each would be asked by itself, a text that is too long for that is answered 431, and a short one told apart", () => {
  expect(placeOf(ofCookies, cookie(`${accented}; ${last}`))).toBe("v2");
  expect(placeOf(ofCookies, cookie(`${accented.repeat(10_000)}; ${last}`))).toBe(431);
  expect(placeOf(ofCookies, cookie(`${accented}; ${last}`))).toBe("v2");
  const grpc = ask(ofCookies, {
    headers: ["content-type", "application/grpc", "cookie", accented.repeat(10_000)],
  });
  expect(grpc).toMatchObject({ kind: "answer", status: 200 });
});

test("the same holds for many values of one header, and for rules with an expression beside what they are found by", () => {
  const values = Array.from({ length: 8_000 }, () => ["cookie", accented]).flat();
  expect(placeOf(ofCookies, { headers: values })).toBe(431);
  const besides = routerOfMany((number) => [{ ...byCookie(number)[0], uri: exact("/one") }]);
  expect(placeOf(besides, { path: "/one", ...cookie(last) })).toBe("v2");
  expect(placeOf(besides, { path: "/one", ...cookie("x".repeat(60_000)) })).toBe(431);
  expect(placeOf(besides, { path: "/other", ...cookie("x".repeat(60_000)) })).toBe(404);
});

test("however many rules there are, a request with a short text is not refused", () => {
  const matches = Array.from(
    { length: 15_000 },
    (): MatchInit => ({ headers: [{ name: "cookie", value: regex(".*b") }] }),
  );
  const router = routerOf(portRoute({ name: "many", matches, destinations: to("v1") }));
  expect(placeOf(router, cookie(accented.repeat(250)))).toBe(404);
  expect(placeOf(router, cookie(accented.repeat(1_000)))).toBe(431);
});

test("a caller whose paths lead nowhere is refused, others find their routes as before", () => {
  const router = routerOfMany((number) => [{ uri: regex(`/.*/${named(number)}(/.*)?`) }]);
  const hostile = (seed: number): string =>
    Array.from({ length: 4_000 }, (_, at) => `/${named(250 + ((seed * 31 + at * (7 + seed)) % 199))}`).join(
      "",
    );
  for (let seed = 0; seed < 5; seed++) {
    expect(placeOf(router, { path: hostile(seed) })).toBe(431);
    expect(placeOf(router, { path: `/shop/${named(rules - 1)}/cart` })).toBe("v2");
    expect(placeOf(router, { path: `/shop/${named(seed)}` })).toBe("v1");
  }
});
