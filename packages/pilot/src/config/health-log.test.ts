import { pino } from "pino";
import { expect, test } from "vitest";
import { HealthLog } from "./health-log.ts";

test("trouble that lasts is said once, and once when it is over", () => {
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push((JSON.parse(line) as { msg: string }).msg);
  };
  const log = new HealthLog(pino({}, { write }));
  const fine = { waiting: {}, failing: {} };
  const lost = { waiting: { pods: "403" }, failing: { services: "connection refused" } };
  for (const health of [lost, fine, lost, lost, lost, fine, fine]) log.look(health);
  expect(lines).toEqual([
    "pods: 403; it is waited for",
    "services: connection refused; what was read of it stays",
    "pods: is followed",
    "services: is followed",
  ]);
});
