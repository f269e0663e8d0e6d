import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { holderOf, WorldInUse, WorldLock } from "./lock.ts";
import { WorldNames } from "./names.ts";
import { missingForKernel } from "./requirements.ts";
import { until } from "./until.ts";

const names = new WorldNames("locktest");
const missing = (await missingForKernel()).join("; ");

/** Another process that takes the lock, says what came of it, and stays. */
const taker = [
  process.execPath,
  "--input-type=module",
  "--eval",
  `import { WorldLock } from ${JSON.stringify(import.meta.resolve("./lock.ts"))};
   import { WorldNames } from ${JSON.stringify(import.meta.resolve("./names.ts"))};
   const lock = await WorldLock.tryTake(new WorldNames("locktest"), "owner");
   console.log(lock === undefined ? "refused" : "taken");
   if (lock !== undefined && process.argv.includes("--stay")) process.stdin.resume();`,
] as const;

afterAll(async () => expect(await holderOf(names)).toBeUndefined());

test("[kernel] a lock is taken once, and free again when it is given back", async (context) => {
  context.skip(missing !== "", missing);
  const lock = await WorldLock.take(names);
  expect(await holderOf(names)).toEqual({ pid: process.pid, purpose: "owner" });
  expect(await WorldLock.tryTake(names, "remover")).toBeUndefined();
  await expect(WorldLock.take(names)).rejects.toThrow(WorldInUse);
  await lock.release();
  expect(await holderOf(names)).toBeUndefined();
  const again = await WorldLock.tryTake(names, "remover");
  await again?.release();
  expect(again).toBeDefined();
});

test("[kernel] a lock is one in all network namespaces", async (context) => {
  context.skip(missing !== "", missing);
  const elsewhere = (): string =>
    spawnSync("unshare", ["--net", ...taker], { encoding: "utf8" }).stdout.trim();
  const lock = await WorldLock.take(names);
  expect(elsewhere()).toBe("refused");
  await lock.release();
  expect(elsewhere()).toBe("taken");
});

test("[kernel] the lock of a process that is killed is free", async (context) => {
  context.skip(missing !== "", missing);
  const [program, ...args] = taker;
  const other = spawn(program, [...args, "--", "--stay"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(other.stdout, "data");
  expect(await holderOf(names)).toEqual({ pid: other.pid, purpose: "owner" });
  other.kill("SIGKILL");
  const lock = await until(() => WorldLock.tryTake(names, "owner"), { what: "the lock to be free" });
  await lock.release();
});
