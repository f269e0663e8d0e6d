import { matchFirstByte, matchLastByte } from "@keelson/bpf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addFallbacks } from "./fallbacks.ts";
import { matchAutomaton } from "./match-automaton.ts";
import { isSameTarget, type Row, Rows, type Target } from "./rows.ts";
import { exact, matchOf, regex } from "./testing/arbitrary.ts";

const nowhere: Target = { action: 0 };
const bytes = Array.from({ length: matchLastByte }, (_, index) => index + 1);

/** Where a byte leads, by the rules of `rows.ts`. */
function targetOf(rows: readonly Row[], row: number, byte: number): Target {
  const { entries, otherwise } = rows[row] as Row;
  const own = entries.get(byte);
  if (own !== undefined) return own;
  if ("like" in otherwise) return targetOf(rows, otherwise.like, byte);
  return byte < matchFirstByte ? nowhere : otherwise;
}

const count = 6;
const someTarget: fc.Arbitrary<Target> = fc.oneof(
  fc.nat(count - 1).map((row) => ({ row })),
  fc.nat(3).map((action) => ({ action })),
);
const someEntries = fc.array(fc.tuple(fc.constantFrom(9, 10, 13, 32, 47, 97, 98, 99), someTarget), {
  maxLength: 6,
});
/** As rows are of a table: the first is where nothing holds any more, and most others say much of what it says. */
const someRows = fc
  .record({
    settled: someEntries,
    others: fc.array(
      fc.record({
        entries: someEntries,
        shared: fc.boolean(),
        otherwise: fc.oneof(fc.constant({ row: 0 }), someTarget),
      }),
      { minLength: count - 1, maxLength: count - 1 },
    ),
  })
  .map(({ settled, others }) => [
    { entries: settled, otherwise: { row: 0 } },
    ...others.map(({ entries, shared, otherwise }) => ({
      entries: [...(shared ? settled : []), ...entries],
      otherwise,
    })),
  ]);

test("every byte leads where it led before, with at most one fallback and no more entries", () => {
  let fallbacks = 0;
  fc.assert(
    fc.property(someRows, (made) => {
      const rows = new Rows(nowhere);
      for (const { entries, otherwise } of made) {
        const row = rows.add(otherwise);
        for (const [byte, target] of entries) rows.set(row, byte, target);
      }
      const before = [...rows.rows];
      addFallbacks(rows);
      for (const [index, row] of rows.rows.entries()) {
        if ("like" in row.otherwise) {
          fallbacks++;
          expect(rows.rows[row.otherwise.like]?.otherwise).not.toHaveProperty("like");
        }
        expect(row.entries.size).toBeLessThanOrEqual(before[index]?.entries.size ?? 0);
        const other = bytes.find(
          (byte) => !isSameTarget(targetOf(rows.rows, index, byte), targetOf(before, index, byte)),
        );
        expect(other).toBeUndefined();
      }
    }),
  );
  expect(fallbacks).toBeGreaterThan(10);
});

test.each([
  ["paths", 16, (rule: number) => ({ uri: exact(`/rule-${rule}`) })],
  ["expressions", 48, (rule: number) => ({ uri: regex(`/group-${rule}/[0-9]+`) })],
])("a table of many %s has few entries for each: at most %d", (_, most, matchFor) => {
  const entriesOf = (many: number): number => {
    const made = matchAutomaton(Array.from({ length: many }, (_rule, rule) => [matchOf(matchFor(rule))]));
    if ("unfit" in made) throw new Error(made.unfit);
    return made.size.entries;
  };
  expect((entriesOf(600) - entriesOf(100)) / 500).toBeLessThan(most);
});
