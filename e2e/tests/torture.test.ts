import { expect, test } from "vitest";
import { runTorture } from "../torture/run.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = (await missingForKernel()).join("; ");
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

test(`[kernel] callers do all that sockets allow while everything changes, and no byte is wrong (SEED=${seed})`, async (context) => {
  context.skip(missing !== "", missing);
  const options = { seed, callers: 24, requests: 4000, mostBytes: 2 ** 22, sockets: "switch" } as const;
  const more = { answersPerChange: 500, stopped: 2 };
  const { report, changes, troubles } = await runTorture("torture", { ...options, ...more }, () => undefined);
  expect(troubles).toEqual([]);
  expect(report.right).toBeGreaterThan(2000);
  expect(
    Math.min(changes.endpoints, changes.rules, changes["killed relay"], changes["killed agent"]),
  ).toBeGreaterThan(0);
});
