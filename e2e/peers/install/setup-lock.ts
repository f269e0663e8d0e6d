import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { cacheDirectory } from "../../kernels/kernel-cache.ts";
import type { Say } from "./long-command.ts";

/**
 * Runs a job while no other process runs one on the same cache folder. The kernel keeps the lock, an abstract Unix
 * socket (unix(7)): it is free at the moment its owner is gone, however it went.
 */
export async function withSetupLock<T>(say: Say, job: () => Promise<T>): Promise<T> {
  let server = await tryLock();
  if (!server) say("another set-up is at work on this cache folder: waiting for it");
  while (!server) {
    await delay(500);
    server = await tryLock();
  }
  try {
    return await job();
  } finally {
    server.close();
  }
}

function tryLock(): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ path: `\0keelson-setup ${cacheDirectory()}` }, () => resolve(server));
  });
}
