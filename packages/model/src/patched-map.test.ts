import * as fc from "fast-check";
import { expect, test } from "vitest";
import { differingKeys, isSameMap, withChanges, withValues } from "./patched-map.ts";

const keys = fc.nat({ max: 40 }).map((number) => `key-${number}`);
/** 0: the key goes. */
const changes = fc.array(fc.tuple(keys, fc.nat({ max: 3 })), { maxLength: 6 });

const given = (list: readonly (readonly [string, number])[]): Map<string, number | undefined> =>
  new Map(list.map(([key, value]) => [key, value === 0 ? undefined : value]));

/** What a map says, by every way of asking. */
const heard = (map: ReadonlyMap<string, number>) => {
  const each: [string, number][] = [];
  // oxlint-disable-next-line unicorn/no-array-for-each
  map.forEach((value, key) => each.push([key, value]));
  const names = Array.from({ length: 41 }, (_, i) => `key-${i}`);
  return {
    size: map.size,
    each,
    entries: [...map],
    keys: [...map.keys()],
    values: [...map.values()],
    get: names.map((name) => map.get(name)),
    has: names.map((name) => map.has(name)),
  };
};

test("after any changes, a map says what a plain one says, and those before it say what they said", () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 60 }), (rounds) => {
      const states: [ReadonlyMap<string, number>, ReturnType<typeof heard>][] = [];
      let map: ReadonlyMap<string, number> = new Map();
      const plain = new Map<string, number>();
      for (const list of rounds) {
        const round = given(list);
        map = withChanges(map, round);
        for (const [key, value] of round) {
          if (value === undefined) plain.delete(key);
          else plain.set(key, value);
        }
        const sorted = new Map([...plain].sort(([a], [b]) => (a < b ? -1 : 1)));
        states.push([map, heard(sorted)]);
      }
      for (const [state, wanted] of states) expect(heard(state)).toEqual(wanted);
    }),
  );
});

test("what differs between any two of them is found", () => {
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 30 }), fc.nat(), fc.nat(), (rounds, i, j) => {
      const states: ReadonlyMap<string, number>[] = [new Map()];
      for (const list of rounds) states.push(withChanges(states.at(-1) ?? new Map(), given(list)));
      const [a, b] = [states[i % states.length], states[j % states.length]];
      if (a === undefined || b === undefined) throw new Error("there is always a state");
      const all = new Set([...a.keys(), ...b.keys()]);
      const wanted = [...all].filter((key) => a.get(key) !== b.get(key));
      expect([...differingKeys(a, b)].sort()).toEqual(wanted.sort());
      expect(isSameMap(a, b)).toBe(wanted.length === 0);
    }),
  );
});

test("without a change it is the same map; the order counts", () => {
  const map = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  expect(withValues(map, new Map([["a", 1]]))).toBe(map);
  expect(withChanges(map, new Map([["c", undefined]]))).toBe(map);
  expect(isSameMap(map, new Map([...map].toReversed()))).toBe(false);
  expect(isSameMap(map, new Map(map))).toBe(true);
});

test("a value of a key that is not there is refused", () => {
  expect(() => withValues(new Map(), new Map([["a", 1]]))).toThrow('the map has no key "a"');
});
