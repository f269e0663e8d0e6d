import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { lostTime, OwnTime, type ProcessTimes, type ThreadTimes, timesOf } from "./own-time.ts";

const [cpu = "0"] =
  /^Cpus_allowed_list:\t(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.slice(1) ?? [];

/** Works on one processor, without end. */
const busy = (niceness = 0): ChildProcess =>
  started("taskset", ["-c", cpu, "nice", "-n", String(niceness), "sh", "-c", "while :; do :; done"]);

function started(program: string, words: readonly string[]): ChildProcess {
  const child = spawn(program, words, { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** @returns whether the time is up */
function own(child: ChildProcess, ms: number): () => boolean {
  let isUp = false;
  const time = new OwnTime(
    ms,
    () => [child.pid ?? 0],
    () => {
      isUp = true;
    },
  );
  onTestFinished(() => time.stop());
  return () => isUp;
}

test("a process that sleeps has its time, and one that works without end", async () => {
  const ups = [own(started("sleep", ["60"]), 200), own(busy(), 200)];
  expect(ups.map((isUp) => isUp())).toEqual([false, false]);
  await expect.poll(() => ups.map((isUp) => isUp()), { timeout: 10_000 }).toEqual([true, true]);
});

test("what a process waits for a processor that others have is not its time", async () => {
  const other = busy();
  const child = busy(19);
  // Both have become what they are to be.
  await expect.poll(() => timesOf(child.pid ?? 0).size && timesOf(other.pid ?? 0).size).toBe(1);
  const isUp = own(child, 600);
  await sleep(2_000);
  expect(isUp()).toBe(false);
  other.kill("SIGKILL");
  await once(other, "exit");
  await expect.poll(isUp, { timeout: 10_000 }).toBe(true);
});

test("a time that is stopped is never up, and of nobody it is as clocks have it", async () => {
  let ups = 0;
  const count = (): void => {
    ups++;
  };
  const [stopped, other] = [new OwnTime(20, () => [], count), new OwnTime(20, () => [], count)];
  stopped.stop();
  onTestFinished(() => other.stop());
  await expect.poll(() => ups).toBe(1);
  await sleep(50);
  expect(ups).toBe(1);
});

const thread = (fields: Partial<ThreadTimes>): ProcessTimes =>
  new Map([["1", { state: "S", ran: 0n, waited: 0n, ...fields }]]);

test.each([
  ["sleeps", {}, {}, 0],
  ["works", { state: "R" }, { state: "R", ran: 100_000_000n }, 0],
  ["shares a processor", { state: "R" }, { state: "R", ran: 40_000_000n, waited: 60_000_000n }, 60],
  ["waits for one, which is not counted yet", { state: "R" }, { state: "R" }, 100],
  ["waits for a disk", {}, { state: "D" }, 100],
  ["had waited for longer than since the last look", {}, { ran: 1n, waited: 900_000_000n }, 100],
  ["is stopped", {}, { state: "T" }, 0],
])("of 100 ms, one that %s", (_, before, after, lost) => {
  expect(lostTime(thread(before), thread(after), 100)).toBe(lost);
});

test("a thread that is new has lost nothing that is known, and the one that lost most counts", () => {
  const two = new Map([
    ...thread({ waited: 5_000_000n }),
    ["2", { state: "S", ran: 0n, waited: 50_000_000n }],
  ]);
  expect(lostTime(thread({}), two, 100)).toBe(5);
  expect(
    lostTime(new Map([...thread({}), ["2", { state: "S", ran: 0n, waited: 20_000_000n }]]), two, 100),
  ).toBe(30);
});

test("a process that has never a processor has ten times the time", async () => {
  const looks: string[] = [];
  const child = started("sleep", ["60"]);
  // As one that waits for a disk at each look.
  const time = new OwnTime(
    40,
    () => {
      looks.push("look");
      return [child.pid ?? 0];
    },
    () => looks.push("up"),
    () => thread({ state: "D" }),
  );
  onTestFinished(() => time.stop());
  await expect.poll(() => looks.at(-1), { timeout: 10_000 }).toBe("up");
  expect(looks).toHaveLength(41);
});
