import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { MatchTable, Unfit } from "./match-table.ts";

const program = new URL(`./table-thread-main${extname(import.meta.filename)}`, import.meta.url);
/** Of the thread's heap. Rules that keep to the automaton's bounds need half of it. */
export const mostThreadMebibytes = 1_024;

/** Makes one match table in a thread of its own, which goes with all that it has allocated. */
export class TableThread {
  /** Rejects if the thread fails, which says nothing of the conditions. Pending for ever once it was closed. */
  readonly made: Promise<MatchTable | Unfit>;
  private readonly worker: Worker;
  private closed = false;

  /** @param conditions of each route its matches, encoded as `HttpMatch` */
  constructor(conditions: readonly (readonly Uint8Array[])[], mostMebibytes = mostThreadMebibytes) {
    const worker = new Worker(program, {
      workerData: conditions,
      resourceLimits: { maxOldGenerationSizeMb: mostMebibytes },
    });
    this.worker = worker;
    this.made = new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        if (!this.closed) reject(error);
      };
      worker.once("message", resolve);
      worker.once("error", fail);
      worker.once("exit", (code) => {
        fail(new Error(`the thread that makes it ended with ${code}`));
      });
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.worker.terminate();
  }
}
