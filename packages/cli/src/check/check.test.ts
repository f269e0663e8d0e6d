import { expect, test } from "vitest";
import { keelson } from "../testing/keelson.ts";

/** What a machine that may not be asked, or that lacks something, is told: one of these ends, and never a stack trace. */
test("keelson check --pre looks at this machine, and ends with 0 or 1", async () => {
  const { code, stdout, stderr } = await keelson(["check", "--pre", "--node-name", "n1", "-o", "json"]);
  expect(stderr).toBe("");
  const report = JSON.parse(stdout) as { phase: string; looked: string[]; counts: { error: number } };
  expect(report).toMatchObject({ phase: "pre", looked: ["node n1"] });
  expect(code).toBe(report.counts.error === 0 ? 0 : 1);
});

test("a name that no node can have is wrong usage", async () => {
  const { code, stderr } = await keelson(["check", "--pre", "--node-name", "No_Node"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('"No_Node" names no node')]);
});
