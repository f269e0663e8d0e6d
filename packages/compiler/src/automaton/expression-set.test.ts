import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { type ExpressionBounds, ExpressionSet } from "./expression-set.ts";
import { somePattern } from "./testing/arbitrary.ts";

const setOf = (texts: readonly string[], bounds?: ExpressionBounds) =>
  new ExpressionSet(
    texts.map((text) => RE2JS.compile(text)),
    bounds,
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

test("whatever the expressions and texts, those match that match by themselves; or nothing is told where there is no room", () => {
  fc.assert(
    fc.property(
      expressions,
      fc.array(texts, { maxLength: 20 }),
      fc.nat(60),
      fc.nat(200),
      (patterns, asked, steps, looks) => {
        const set = setOf(patterns);
        const forgetful = setOf(patterns, { positions: 1_000, items: 1_000, steps, looks });
        for (const text of asked) {
          expect(set.matching(text)).toEqual(naive(patterns, text));
          expect([naive(patterns, text), undefined]).toContainEqual(forgetful.matching(text));
        }
      },
    ),
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
  const set = setOf(["/a", "/b.*", "/[a-z]{500}"], { positions: 100, items: 100, steps: 100, looks: 100 });
  expect(set.unfit).toEqual([2]);
  expect(set.matching("/a")).toEqual([0]);
  expect(set.matching("/bc")).toEqual([1]);
});

/** Rules whose states are all subsets of what a text has named. */
const names = Array.from({ length: 300 }, (_, number) => `n${number.toString(36)}`);
const namedSet = () =>
  setOf(
    names.map((name) => `/.*/${name}(/.*)?`),
    { positions: 100_000, items: 100_000, steps: 10_000, looks: 30_000 },
  );
/** Of one step at most: all positions, and what is looked at besides. */
const ofOneStep = 10_000;
/** Names as they never come in this order again. */
const hostileText = (seed: number) =>
  Array.from({ length: 2_000 }, (_, at) => `/${names[(seed * 31 + at * (7 + seed)) % names.length]}`).join(
    "",
  );

test("no text is worked on for long, and none makes more to be remembered than there may be", () => {
  const set = namedSet();
  for (let seed = 0; seed < 50; seed++) {
    const before = set.looks;
    expect(set.matching(hostileText(seed))).toBeUndefined();
    expect(set.looks - before).toBeLessThan(30_000 + ofOneStep);
    expect(set.remembered).toBeLessThan(100_000 + ofOneStep);
  }
});

test("whoever sends texts that lead nowhere does not take the set from others", () => {
  const set = namedSet();
  const ordinary = ["/a/n1", "/a/n2/b", "/shop/cart/n3z"];
  const answers = Array.from({ length: 90 }, (_, seed) => {
    set.matching(hostileText(seed));
    return set.matching(ordinary[seed % 3] ?? "");
  });
  expect(answers.filter((answer) => answer !== undefined).length).toBeGreaterThan(70);
});

test("a text that needs more than is looked for at once is told of when it has come often enough", () => {
  const set = namedSet();
  const text = hostileText(1).slice(0, 100);
  const answers = Array.from({ length: 100 }, () => set.matching(text));
  expect(answers[0]).toBeUndefined();
  expect(answers.at(-1)?.length).toBeGreaterThan(10);
});

test("a caller's own limit of none leaves what is known", () => {
  const set = setOf(["/a", "/b"]);
  expect(set.matching("/a", 0)).toBeUndefined();
  expect(set.matching("/a")).toEqual([0]);
  const { looks } = set;
  expect(set.matching("/a", 0)).toEqual([0]);
  expect(set.matching("/b", 0)).toBeUndefined();
  expect(set.looks).toBe(looks);
});

test("where states would have to be made anew all the time, less and less is tried", () => {
  const bounds = { positions: 1_000, items: 100, steps: 100, looks: 1_000 };
  const set = setOf(["(a|b)*a(a|b){12}"], bounds);
  const looks = Array.from({ length: 200 }, (_, text) => {
    const before = set.looks;
    set.matching(
      (text * 2_654_435_761).toString(2).replaceAll("0", "a").replaceAll("1", "b").padStart(60, "ab"),
    );
    return set.looks - before;
  });
  expect(Math.max(...looks.slice(50))).toBeLessThan(bounds.looks / 2);
  const repeated = Array.from({ length: 5 }, () => set.matching("a".repeat(13)));
  expect(repeated.at(-1)).toEqual([0]);
});
