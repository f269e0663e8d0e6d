import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, parseStat, processEntry } from "./process-entry.ts";

test("a name may hold parentheses and spaces", () => {
  const stat = `42 (npm (run) demo) S 7 ${Array.from({ length: 17 }, (_, i) => i).join(" ")} 12345 0`;
  expect(parseStat(stat)).toEqual({
    id: 42,
    name: "npm (run) demo",
    state: "S",
    parent: 7,
    startTime: "12345",
  });
});

test("a process is alive until it ends, and its id alone does not make another one it", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
  await once(child, "spawn");
  const entry = processEntry(child.pid ?? 0);
  expect(entry).toMatchObject({ id: child.pid, parent: process.pid });
  expect(entry !== undefined && isAlive(entry)).toBe(true);
  expect(isAlive({ id: child.pid ?? 0, startTime: "1" })).toBe(false);
  child.stdin.end();
  await once(child, "exit");
  expect(entry !== undefined && isAlive(entry)).toBe(false);
});
