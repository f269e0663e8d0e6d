import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { ExpressionSet } from "./expression-set.ts";
import { somePattern } from "./testing/arbitrary.ts";

type OmitFirst<Parameters extends readonly unknown[]> = Parameters extends [unknown, ...infer Rest]
  ? Rest
  : never;
const setOf = (texts: readonly string[], ...bounds: OmitFirst<ConstructorParameters<typeof ExpressionSet>>) =>
  new ExpressionSet(
    texts.map((text) => RE2JS.compile(text)),
    ...bounds,
  );

const naive = (expressions: readonly string[], text: string): number[] =>
  expressions.flatMap((one, number) => (RE2JS.compile(one).matches(text) ? [number] : []));

const texts = fc.string({ unit: fc.constantFrom("/", "a", "b", "A", "v", "1", "-", " ", "_"), maxLength: 8 });
const expressions = fc.array(
  fc.oneof(
    somePattern,
    fc
      .array(somePattern, { minLength: 2, maxLength: 3 })
      .map((parts) => parts.map((one) => `(?:${one})`).join("|")),
    fc.tuple(somePattern, somePattern).map(([one, other]) => `${one}${other}`),
  ),
  { maxLength: 6 },
);

test("whatever the expressions and texts, those match that match by themselves; also when all is forgotten now and then", () => {
  fc.assert(
    fc.property(expressions, fc.array(texts, { maxLength: 20 }), fc.nat(60), (patterns, asked, steps) => {
      const set = setOf(patterns);
      const forgetful = setOf(patterns, { positions: 1_000, items: 1_000, steps }, 0);
      for (const text of asked) {
        expect(set.matching(text)).toEqual(naive(patterns, text));
        expect(forgetful.matching(text)).toEqual(naive(patterns, text));
      }
    }),
    { numRuns: 300 },
  );
});

test("texts with other bytes than those of a strict head are told apart", () => {
  const set = setOf([".*"]);
  expect(["", " ~", "\t", "\x7f", "é", "\n"].map((text) => set.matching(text))).toEqual([
    [0],
    [0],
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("what has no place is unfit, the others are looked at all the same", () => {
  const set = setOf(["/a", "/b.*", "/[a-z]{500}"], { positions: 100, items: 100, steps: 100 });
  expect(set.unfit).toEqual([2]);
  expect(set.matching("/a")).toEqual([0]);
  expect(set.matching("/bc")).toEqual([1]);
});

test("a set whose states would have to be made anew all the time is given up", () => {
  const set = setOf(["(a|b)*a(a|b){12}"], { positions: 1_000, items: 100, steps: 100 });
  const answers = Array.from({ length: 200 }, (_, text) =>
    set.matching(text.toString(2).replaceAll("0", "a").replaceAll("1", "b").padStart(20, "ab")),
  );
  expect(answers[0]).toBeDefined();
  expect(answers.at(-1)).toBeUndefined();
});
