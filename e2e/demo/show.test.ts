import { expect, test } from "vitest";
import { bar, indent, spreadTable } from "./show.ts";

test("bars are exact to an eighth of a character", () => {
  expect(bar(1, 4)).toBe("████");
  expect(bar(0, 4)).toBe("");
  expect(bar(0.5, 3)).toBe("█▌");
  expect(bar(1 / 32, 4)).toBe("▏");
});

test("a row shows answers and the maps' count, and says so where they differ", () => {
  const table = spreadTable([
    { pod: "reviews-v1", answers: 20, counted: 20 },
    { pod: "reviews-v2", answers: 10, counted: 11 },
  ]);
  const [, first = "", second = ""] = table.split("\n");
  expect(first).toMatch(/reviews-v1 +20 +█+ +20$/);
  expect(second).toMatch(/reviews-v2 +10 +█+ +11 +differs$/);
});

test("indented text keeps its empty lines empty", () => {
  expect(indent("a:\n\n  b\n")).toBe("   a:\n\n     b");
});
