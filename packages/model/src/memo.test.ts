import { expect, test } from "vitest";
import { Memo } from "./memo.ts";

test("a value is made once for the same inputs, and again for others", () => {
  const memo = new Memo<object>();
  const input = {};
  const first = memo.get("a", [input, 1], () => ({}));
  memo.endRound();
  expect(memo.get("a", [input, 1], () => ({}))).toBe(first);
  expect(memo.get("b", [input, 1], () => ({}))).not.toBe(first);
  for (const other of [[{}, 1], [input, 2], [input], [input, 1, undefined]]) {
    expect(memo.get("a", other, () => ({}))).not.toBe(first);
  }
});

test("within a round the latest value counts", () => {
  const memo = new Memo<string>();
  memo.get("a", [1], () => "one");
  memo.get("a", [2], () => "two");
  expect(memo.get("a", [2], () => "again")).toBe("two");
});

test("what a round does not ask for is forgotten", () => {
  const memo = new Memo<string>();
  memo.get("a", [], () => "first");
  memo.endRound();
  memo.endRound();
  expect(memo.get("a", [], () => "second")).toBe("second");
});

const failing = (): string => {
  throw new Error("no");
};

test("a value that could not be made is asked for again", () => {
  const memo = new Memo<string>();
  expect(() => memo.get("a", [], failing)).toThrow("no");
  expect(memo.get("a", [], () => "made")).toBe("made");
});

test("what is forgotten is made again, for the same inputs", () => {
  const memo = new Memo<string>();
  memo.get("a", [1], () => "one");
  memo.forget("a");
  memo.forget("b");
  expect(memo.get("a", [1], () => "two")).toBe("two");
  expect(memo.get("a", [1], () => "three")).toBe("two");
});
