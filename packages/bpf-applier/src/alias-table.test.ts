import fc from "fast-check";
import { expect, test } from "vitest";
import { aliasTable } from "./alias-table.ts";

/** The exact probability of every item, as the programs draw: a slot evenly, then the slot or its alias. */
function probabilities(weights: readonly number[]): number[] {
  const slots = aliasTable(weights);
  const result = weights.map(() => 0);
  slots.forEach(({ threshold, alias }, i) => {
    const keep = alias === i ? 1 : threshold / 2 ** 32;
    result[i] = (result[i] ?? 0) + keep / slots.length;
    result[alias] = (result[alias] ?? 0) + (1 - keep) / slots.length;
  });
  return result;
}

const weights = fc.array(fc.double({ min: 1e-4, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 300 });

test("every item is drawn with its share, to 1 in 2^31 per slot", () => {
  fc.assert(
    fc.property(weights, (list) => {
      const sum = list.reduce((a, b) => a + b, 0);
      probabilities(list).forEach((probability, i) => {
        expect(Math.abs(probability - (list[i] ?? 0) / sum)).toBeLessThan(1e-8);
      });
    }),
  );
});

test("thresholds fit 32 bits and aliases are slots", () => {
  fc.assert(
    fc.property(weights, (list) => {
      for (const { threshold, alias } of aliasTable(list)) {
        expect(Number.isInteger(threshold) && threshold >= 0 && threshold <= 0xffff_ffff).toBe(true);
        expect(alias).toBeLessThan(list.length);
      }
    }),
  );
});

test("80 to 20", () => {
  expect(probabilities([80, 20]).map((p) => p.toFixed(6))).toEqual(["0.800000", "0.200000"]);
});

test("no item, no slot", () => {
  expect(aliasTable([])).toEqual([]);
});
