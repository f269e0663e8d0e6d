import { expect, test } from "vitest";
import { Repeats } from "./repeats.ts";

const hour = 3_600_000;

test("the same is told once, and again each hour with how often it was not", () => {
  const repeats = new Repeats();
  expect(repeats.tell("a", "bad", 0)).toBe(0);
  expect(repeats.tell("a", "bad", 30_000)).toBeUndefined();
  expect(repeats.tell("a", "bad", hour - 1)).toBeUndefined();
  expect(repeats.tell("a", "bad", hour)).toBe(2);
  expect(repeats.tell("a", "bad", hour + 1)).toBeUndefined();
});

test("something else, of another thing, or after its end is new", () => {
  const repeats = new Repeats();
  repeats.tell("a", "bad", 0);
  expect(repeats.tell("b", "bad", 1)).toBe(0);
  expect(repeats.tell("a", "worse", 2)).toBe(0);
  expect(repeats.tell("a", "bad", 3)).toBe(0);
  expect(repeats.end("a")).toBe(true);
  expect(repeats.end("a")).toBe(false);
  expect(repeats.tell("a", "bad", 4)).toBe(0);
});

test("of many things the one heard of longest ago is forgotten", () => {
  const repeats = new Repeats();
  for (const index of Array(10_000).keys()) repeats.tell(`${index}`, "bad", 0);
  expect(repeats.tell("0", "bad", 1)).toBeUndefined();
  repeats.tell("one more", "bad", 1);
  expect(repeats.tell("0", "bad", 1)).toBeUndefined();
  expect(repeats.tell("1", "bad", 1)).toBe(0);
});
