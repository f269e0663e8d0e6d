import { expect, test } from "vitest";
import { short, table } from "./table.ts";

test("names stand left, numbers right", () => {
  const rows = [
    ["path", "median"],
    ["direct", "9"],
    ["", "1,234"],
  ];
  expect(table(rows)).toEqual(["path    median", "direct       9", "         1,234"]);
});

test.each([
  [0, "0.00"],
  [0.1234, "0.123"],
  [1.004, "1.00"],
  [9.87, "9.87"],
  [12.34, "12.3"],
  [123.4, "123"],
  [1234567, "1,234,567"],
])("%d is printed as %s", (value, text) => {
  expect(short(value)).toBe(text);
});
