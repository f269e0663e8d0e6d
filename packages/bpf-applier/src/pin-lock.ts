import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { lockDescriptor } from "bpf-maps-native";
import { PinFolder } from "./pins.ts";

/** A process that is killed has its descriptors a moment longer than its socket. In milliseconds. */
const defaultPatienceMs = 2_000;
const lookMs = 50;
/** Of a command line that is shown, in characters. */
const shownCommand = 300;

/**
 * What keeps two agents from one node's pins, whatever folders and namespaces each of them has: the kernel's lock of the folder in
 * which these are, which ends with its process.
 */
export class PinLock implements Disposable {
  private fd: number | undefined;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /**
   * Makes the folder if there is none.
   * @param patienceMs how long one that ends just now is waited for
   * @throws Error naming who has it
   */
  static async take(node: string, patienceMs = defaultPatienceMs): Promise<PinLock> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const { path } = await PinFolder.create(node);
      const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        if (lockDescriptor(fd)) {
          if (await isThere(path, fstatSync(fd))) return new PinLock(fd);
          // Whoever had it has removed the folder, and the next one makes another.
        } else if (performance.now() > until) throw new Error(await takenText(path, fstatSync(fd)));
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
      await delay(lookMs);
    }
  }

  [Symbol.dispose](): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}

async function isThere(path: string, { ino, dev }: Stats): Promise<boolean> {
  const now = await stat(path).catch(() => undefined);
  return now?.ino === ino && now.dev === dev;
}

async function takenText(path: string, { ino }: Stats): Promise<string> {
  const holder = lockHolder(await readFile("/proc/locks", "utf8"), ino);
  return `another bpf-applier has this node's programs and maps (${path}), and another --run-dir: ${await processText(holder)}. End it, or start this one with its --run-dir, where --take-over asks it for the node`;
}

async function processText(pid: number | undefined): Promise<string> {
  if (pid === undefined) return "a process that cannot be seen from here, perhaps of another container";
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return `process ${pid}, ${command.split("\0").join(" ").trim().slice(0, shownCommand)}`;
}

/**
 * @param locks as the kernel tells them (proc(5), /proc/locks): "1: FLOCK  ADVISORY  WRITE 123 00:1c:5678 0 EOF"
 * @returns who has the flock(2) of this inode; undefined: nobody that this process can see
 */
export function lockHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split("\n")) {
    const [, kind, , , pid, file] = line.trim().split(/\s+/);
    if (kind === "FLOCK" && file?.split(":")[2] === String(inode)) return Number(pid);
  }
  return undefined;
}
