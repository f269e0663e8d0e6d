import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChainMatch, type ChainPlan, matchAll, withoutOverlaps } from "./chain-plan.ts";

const target: ChainPlan["target"] = { kind: "http", routeName: "80", grpcWeb: false, forwardProxy: false };
const chain = (match: Partial<ChainMatch>): ChainPlan => ({ match: { ...matchAll, ...match }, target });
const left = (...matches: Partial<ChainMatch>[]) =>
  withoutOverlaps(matches.map(chain)).map(({ match }) => match);

test("of a later chain only names are left that no earlier one has", () => {
  expect(
    left({ serverNames: ["a", "b"] }, { serverNames: ["b", "c"] }).map(({ serverNames }) => serverNames),
  ).toEqual([["a", "b"], ["c"]]);
});

test("of a later chain only prefixes are left that no earlier one has", () => {
  const prefixes = left({ prefixes: ["10.0.0.0/8"] }, { prefixes: ["10.0.0.0/8", "11.0.0.0/8"] }).map(
    (match) => match.prefixes,
  );
  expect(prefixes).toEqual([["10.0.0.0/8"], ["11.0.0.0/8"]]);
});

test("a chain of which nothing is left goes, and never takes more than it did", () => {
  expect(left({ serverNames: ["a"] }, { serverNames: ["a"] })).toHaveLength(1);
  expect(left(matchAll, matchAll)).toHaveLength(1);
});

test("protocols and transports keep chains apart", () => {
  expect(
    left(
      { transportProtocol: "tls" },
      { transportProtocol: "raw_buffer" },
      { applicationProtocols: ["h2c"] },
    ),
  ).toHaveLength(3);
});

/** The connections that a match is for, as far as these tests know any. */
const keysOf = ({ serverNames, prefixes, applicationProtocols, transportProtocol }: ChainMatch): string[] => {
  const orAny = (values: readonly string[]): readonly string[] => (values.length === 0 ? [""] : values);
  return orAny(serverNames).flatMap((name) =>
    orAny(prefixes).flatMap((prefix) =>
      orAny(applicationProtocols).map((protocol) => `${name} ${prefix} ${protocol} ${transportProtocol}`),
    ),
  );
};

test("no two chains are for the same connection, and each is only for what it was for", () => {
  const some = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 2 });
  const match = fc.record({
    serverNames: some("a", "b", "c"),
    prefixes: some("1.0.0.0/8", "2.0.0.0/8"),
    applicationProtocols: some("h2", "http/1.1"),
    transportProtocol: fc.constantFrom("" as const, "tls" as const),
  });
  fc.assert(
    fc.property(fc.array(match, { maxLength: 5 }), (matches) => {
      const chains = withoutOverlaps(matches.map((wanted, i) => ({ ...chain(wanted), i })));
      const keys = chains.flatMap((plan) => keysOf(plan.match));
      expect(new Set(keys).size).toBe(keys.length);
      for (const plan of chains) {
        const wanted = matches[plan.i];
        expect(wanted && keysOf(wanted)).toEqual(expect.arrayContaining(keysOf(plan.match)));
      }
    }),
  );
});
