import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test("control characters become visible wherever they stand, line feeds and tabs stay", () => {
  expect(
    printable({ "a\u0007": ["\u001b[31mred\u001b[0m", { deep: "x\r\u009b2J\n\ty" }], n: 1, no: null }),
  ).toEqual({
    "a\\x07": ["\\x1b[31mred\\x1b[0m", { deep: "x\\x0d\\x9b2J\n\ty" }],
    n: 1,
    no: null,
  });
});

test("other text stays as it is", () => {
  expect(printable("größer → 80 %")).toBe("größer → 80 %");
});
