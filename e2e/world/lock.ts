import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import type { WorldNames } from "./names.ts";
import { Hopeless, until } from "./until.ts";

/** Who has a lock, and for what: living in the world, or removing what a dead owner left of it. */
export interface LockHolder {
  readonly pid: number;
  readonly purpose: "owner" | "remover";
}

/** The world's name is in use by a live process. */
export class WorldInUse extends Hopeless {
  readonly owner: number;
  constructor(world: string, owner: number) {
    super(`the world "${world}" is in use by process ${owner}; end that first`);
    this.owner = owner;
  }
}

/** What flock(1) runs while it has the lock: says so, and goes on until nobody holds the other end of its input. */
const holding = `printf %s "$1" >"$2" && echo taken && exec cat`;

/**
 * Says who owns a world, in whatever network namespace. The kernel keeps the lock (flock(2)) for a process that ends at
 * the moment its owner is gone, however it went: what the file says counts only as long as it is locked.
 */
export class WorldLock {
  private readonly file: string;
  private readonly end: () => Promise<void>;

  private constructor(file: string, end: () => Promise<void>) {
    this.file = file;
    this.end = end;
  }

  /** @returns undefined if another process has it. */
  static async tryTake(names: WorldNames, purpose: LockHolder["purpose"]): Promise<WorldLock | undefined> {
    const file = names.lockFile;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const holder: LockHolder = { pid: process.pid, purpose };
    const args = ["-n", file, "sh", "-c", holding, "sh", JSON.stringify(holder), file];
    // Not in our process group: a signal from the keyboard must not give away what is not cleaned up yet.
    const child = spawn("flock", args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
    const ended = once(child, "exit") as Promise<[code: number | null]>;
    const isTaken = await Promise.race([
      once(child.stdout, "data").then(() => true),
      ended.then(([code]) => {
        if (code === 1) return false;
        throw new Error(`flock ended with ${code} instead of locking ${file}`);
      }),
    ]);
    if (!isTaken) return undefined;
    // It is to live as long as we do, not the other way round. Pipes of child processes are sockets.
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as Socket).unref();
    return new WorldLock(file, async () => {
      child.ref();
      child.stdin.end();
      await ended;
    });
  }

  /**
   * Takes it as the owner, after waiting for others that remove what is left of the world.
   * @throws WorldInUse if a live process owns the world.
   */
  static take(names: WorldNames): Promise<WorldLock> {
    return until(
      async () => {
        const lock = await WorldLock.tryTake(names, "owner");
        const holder = lock === undefined ? await holderOf(names) : undefined;
        if (holder?.purpose === "owner") throw new WorldInUse(names.world, holder.pid);
        return lock;
      },
      { what: `others to be done with the world "${names.world}"`, everyMs: 50 },
    );
  }

  async release(): Promise<void> {
    // While it is still ours: whoever has it next has not said so yet when others look.
    await writeFile(this.file, "");
    await this.end();
  }
}

/** Who has a world's lock; undefined if nobody has, or has not said so yet. */
export async function holderOf(names: WorldNames): Promise<LockHolder | undefined> {
  const text = await readFile(names.lockFile, "utf8").catch(() => "");
  if (text === "") return undefined;
  const [code] = (await once(spawn("flock", ["-n", "-s", names.lockFile, "true"]), "exit")) as [number];
  const holder = JSON.parse(text) as LockHolder;
  return code === 0 || !isAlive(holder.pid) ? undefined : holder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
