import { expect, test } from "vitest";
import { mappedMap } from "./mapped-map.ts";
import { differingKeys, isSameMap, withValues } from "./patched-map.ts";

interface Numbered {
  readonly number: number;
}

const known = new WeakMap<Numbered, { readonly text: string }>();
let made = 0;

function textOf(value: Numbered): { readonly text: string } {
  const text = known.get(value) ?? { text: `text ${value.number}` };
  if (!known.has(value)) made += 1;
  known.set(value, text);
  return text;
}

const numbers = (count: number): Map<string, Numbered> =>
  new Map(Array.from({ length: count }, (_, number) => [`key-${number}`, { number }]));

test("it says what a plain map of the same says", () => {
  const map = mappedMap(numbers(3), textOf);
  const plain = new Map([0, 1, 2].map((number) => [`key-${number}`, { text: `text ${number}` }]));
  expect([...map]).toEqual([...plain]);
  expect([...map.entries()]).toEqual([...plain]);
  expect([...map.keys()]).toEqual([...plain.keys()]);
  expect([...map.values()]).toEqual([...plain.values()]);
  expect(map.size).toBe(3);
  expect([map.get("key-1"), map.get("key-3")]).toEqual([{ text: "text 1" }, undefined]);
  expect([map.has("key-1"), map.has("key-3")]).toEqual([true, false]);
  const each: [string, { readonly text: string }][] = [];
  // oxlint-disable-next-line unicorn/no-array-for-each
  map.forEach((value, key) => each.push([key, value]));
  expect(each).toEqual([...plain]);
});

test("maps of one mapping are compared without a value being made, others by their values", () => {
  const before = numbers(1_000);
  const after = withValues(before, new Map([["key-7", { number: 8 }]]));
  const countBefore = made;
  const [one, other] = [mappedMap(before, textOf), mappedMap(after, textOf)];
  expect(differingKeys(one, other)).toEqual(new Set(["key-7"]));
  expect(isSameMap(one, other)).toBe(false);
  expect(isSameMap(one, mappedMap(before, textOf))).toBe(true);
  expect(made).toBe(countBefore);
  expect(isSameMap(one, new Map(one))).toBe(true);
  expect(
    isSameMap(
      one,
      mappedMap(before, ({ number }) => ({ number })),
    ),
  ).toBe(false);
});
