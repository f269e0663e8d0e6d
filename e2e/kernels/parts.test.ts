import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { partNames, runOf, wantedParts } from "./parts.ts";

test("all parts are run if none is named", () => {
  expect(wantedParts({ parts: [] })).toEqual(["scenarios", "torture", "behaviours", "matching"]);
});

test("parts that are named are run once each, in their order", () => {
  expect(wantedParts({ parts: ["matching", "torture", "matching"] })).toEqual(["torture", "matching"]);
});

test("who names scenarios wants them, and no other part that is not named, too", () => {
  expect(wantedParts({ parts: [], only: ["cheap"] })).toEqual(["scenarios"]);
  expect(wantedParts({ parts: ["torture"], only: ["cheap"] })).toEqual(["scenarios", "torture"]);
});

test("each part is a program of its own; scenarios are those that are named", async () => {
  const runs = await Promise.all(partNames.map((part) => runOf(part, "short", ["cheap", "weights"])));
  expect(runs.map(({ command }) => command[1])).toEqual([
    "e2e/kernels/scenarios-in-guest.ts",
    "e2e/torture/main.ts",
    "e2e/kernel-behaviour/main.ts",
    "e2e/matching/main.ts",
  ]);
  expect(runs[0]?.command.slice(-2)).toEqual(["cheap", "weights"]);
});

test("a part that there is not is refused before anything is set up", async () => {
  const { code, errors } = await new Promise<{ code: unknown; errors: string }>((resolve) =>
    execFile(
      process.execPath,
      [join(import.meta.dirname, "main.ts"), "--part", "torturing", "6.1"],
      (error, _, stderr) => resolve({ code: error?.code, errors: stderr }),
    ),
  );
  expect(code).toBe(2);
  expect(errors).toMatch(/^no part torturing; there are scenarios, torture, behaviours, matching\n\nusage: /);
});
