import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { kernelTest } from "./kernel.test-helper.ts";
import { lockHolder, PinLock } from "./pin-lock.ts";
import { PinFolder } from "./pins.ts";

const node = `keelson-lock-${process.pid}`;
const module = join(import.meta.dirname, "pin-lock.ts");
let others: ChildProcess[];

beforeEach(() => {
  others = [];
});
afterEach(async () => {
  for (const other of others) {
    other.kill("SIGKILL");
    if (other.exitCode === null && other.signalCode === null) await once(other, "exit");
  }
});

/** A process in namespaces of its own that says whether it has the lock, and keeps it. */
async function otherContainer(): Promise<string> {
  const script = `const { PinLock } = await import(${JSON.stringify(module)});
await PinLock.take(${JSON.stringify(node)}, 0).then(() => console.log("taken"), ({ message }) => console.log(message));
setInterval(() => {}, 1e6);`;
  const args = ["--mount", "--net", "--ipc", "--uts", process.execPath, "--input-type=module", "-e", script];
  const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
  others.push(child);
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return said.toString().trim();
}

async function removePins(): Promise<void> {
  await (await PinFolder.find(node)).remove();
}

kernelTest(
  "a node's pins are one process's, whatever its namespaces, until it ends or is killed",
  async () => {
    try {
      {
        using held = new DisposableStack();
        held.use(await PinLock.take(node));
        const why = await otherContainer();
        expect(why).toContain(`process ${process.pid}, ${process.execPath}`);
        expect(why).toContain((await PinFolder.find(node)).path);
      }
      expect(await otherContainer()).toBe("taken");
      await expect(PinLock.take(node, 0)).rejects.toThrow(
        /another --run-dir: process \d+, .*--input-type=module/,
      );
      for (const other of others) other.kill("SIGKILL");
      (await PinLock.take(node))[Symbol.dispose]();
    } finally {
      await removePins();
    }
  },
);

kernelTest("who waits while another one removes the pins has the lock of those that follow", async () => {
  try {
    const first = await PinLock.take(node);
    const next = PinLock.take(node, 60_000);
    await removePins();
    first[Symbol.dispose]();
    using held = new DisposableStack();
    held.use(await next);
    await expect(PinLock.take(node, 0)).rejects.toThrow(`process ${process.pid}, `);
  } finally {
    await removePins();
  }
});

test("who has a lock is read from the kernel's table", () => {
  const locks = `1: POSIX  ADVISORY  WRITE 11 00:1c:77 0 EOF
2: FLOCK  ADVISORY  WRITE 22 00:1c:777 0 EOF
3: FLOCK  ADVISORY  WRITE 33 00:1c:77 0 EOF
`;
  expect(lockHolder(locks, 77)).toBe(33);
  expect(lockHolder(locks, 7)).toBeUndefined();
});
