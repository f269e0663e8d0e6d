import { expect, test } from "vitest";
import { unexpectedSkips } from "./expected-skips.ts";

const skip = (name: string) => ({ name, state: "skipped" as const, reason: "no root" });

test("a skip that no line explains is unexpected", () => {
  const expected =
    "# comment\n\npackages/a.test.ts > needs fixtures : the fixtures stand beside the checkout only sometimes\n";
  expect(
    unexpectedSkips([skip("packages/a.test.ts > needs fixtures"), skip("packages/b.test.ts > x")], expected),
  ).toEqual([skip("packages/b.test.ts > x")]);
});

test("a line without a reason is refused", () => {
  expect(() => unexpectedSkips([], "packages/a.test.ts > x")).toThrow(/no " : <reason>"/);
  expect(() => unexpectedSkips([], "packages/a.test.ts > x : ")).toThrow(/no " : <reason>"/);
});
