import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "./places.ts";

/** libuv's default; UV_THREADPOOL_SIZE overrides it. */
const poolThreads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);

/**
 * Keeps every thread of libuv's pool busy, each in opening a FIFO that nobody writes to, until disposed. What is
 * given to the pool meanwhile waits; what runs on the event loop does not.
 */
export async function holdThreadPool(): Promise<AsyncDisposable> {
  const folder = makeFolder();
  const fifo = join(folder.path, "fifo");
  execFileSync("mkfifo", [fifo]);
  const readers = Array.from({ length: poolThreads }, () => open(fifo, "r"));
  return {
    async [Symbol.asyncDispose]() {
      const writer = openSync(fifo, constants.O_RDWR); // both ends: never waits, and ends every reader's wait
      for (const reader of await Promise.all(readers)) await reader.close();
      closeSync(writer);
      folder[Symbol.dispose]();
    },
  };
}
