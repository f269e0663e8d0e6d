import { connect, createServer, type Server } from "node:net";
import type { WorldNames } from "./names.ts";

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
  static async take(names: WorldNames): Promise<WorldLock | undefined> {
    // Whoever asks is told the owner's process id.
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`${process.pid}\n`);
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

  release(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }
}

/** Process id of a world's owner; undefined if nobody owns it or the owner does not answer within a second. */
export function ownerOf(names: WorldNames): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ path: names.lockSocket });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(answer === "" ? undefined : Number(answer)));
  });
}
