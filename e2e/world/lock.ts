import { connect, createServer, type Server } from "node:net";
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

/**
 * Says who owns a world. The kernel keeps the lock: an abstract Unix socket (unix(7)) is free again at the moment its
 * owner is gone, however it went, and no file is left behind that could lie.
 */
export class WorldLock {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /** @returns undefined if another process has it. */
  static async tryTake(names: WorldNames, purpose: LockHolder["purpose"]): Promise<WorldLock | undefined> {
    const holder: LockHolder = { pid: process.pid, purpose };
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(JSON.stringify(holder));
    });
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) =>
        error.code === "EADDRINUSE" ? resolve(false) : reject(error),
      );
      server.listen({ path: names.lockSocket }, () => resolve(true));
    });
    if (!taken) return undefined;
    server.unref();
    return new WorldLock(server);
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

  release(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }
}

/** Who has a world's lock; undefined if nobody has, or does not answer within a second. */
export function holderOf(names: WorldNames): Promise<LockHolder | undefined> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ path: names.lockSocket });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(answer === "" ? undefined : (JSON.parse(answer) as LockHolder)));
  });
}
