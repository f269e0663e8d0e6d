import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { cases } from "../cases/index.ts";
import { faults } from "./faults.ts";
import { pathOf, withFault } from "./seeded.ts";

describe.each(faults)("$name:", (fault) => {
  test("its line is in the built server, once", async () => {
    const source = await readFile(pathOf(fault), "utf8");
    expect(withFault(source, fault)).not.toBe(source);
  });

  test("cases are to find it", () => {
    expect(fault.caughtBy.length).toBeGreaterThan(0);
    for (const name of fault.caughtBy) expect(cases.map((each) => each.name)).toContain(name);
  });
});

test("there are at least six", () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBeGreaterThanOrEqual(6);
});

test("a line that is not there, or twice, is no place for a fault", () => {
  const fault = { name: "f", file: "a.js", line: "x();", replacement: "y();", caughtBy: [] };
  expect(withFault("a\n  x();\nb", fault)).toBe("a\ny();\nb");
  expect(() => withFault("x()", fault)).toThrow(
    'a.js has the line "x();" 0 times; the fault "f" needs it once',
  );
  expect(() => withFault("x();\nx();", fault)).toThrow("2 times");
});
