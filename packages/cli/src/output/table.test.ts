import { styleText } from "node:util";
import { expect, test } from "vitest";
import { indent, table } from "./table.ts";

test("columns are as wide as their widest cell, and no line ends in spaces", () => {
  expect(
    table([
      ["NODE", "STATE", "WHY"],
      ["n1", "SYNCED", ""],
      ["node-two", "OK", "because"],
    ]),
  ).toEqual(["NODE      STATE   WHY", "n1        SYNCED", "node-two  OK      because"]);
});

test("colours take no width", () => {
  const red = styleText("red", "bad", { validateStream: false });
  expect(
    table([
      [red, "x"],
      ["worse", "y"],
    ]),
  ).toEqual([`${red}    x`, "worse  y"]);
});

test("a table of no rows has no lines, and an empty line stays empty when indented", () => {
  expect(table([])).toEqual([]);
  expect(indent(["a", "", "b"], 2)).toEqual(["  a", "", "  b"]);
});
