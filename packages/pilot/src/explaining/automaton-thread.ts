import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { AutomatonFit } from "@keelson/compiler";

const program = new URL(`./automaton-thread-main${extname(import.meta.filename)}`, import.meta.url);
/** Of the thread's heap. Rules that keep to the automaton's bounds need half of it. */
const mostThreadMebibytes = 1_024;
/** How long the thread stays for the next automaton; then it goes with all that it has allocated. */
const idleMs = 1_000;

/** Makes automata in a thread of its own, one at a time, which is there while there is something to do. */
export class AutomatonThread {
  private readonly mostMebibytes: number;
  private worker: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(mostMebibytes = mostThreadMebibytes) {
    this.mostMebibytes = mostMebibytes;
  }

  /**
   * @param tables the routes in their order, encoded as parts of a `RouteTable`; they are the thread's then
   * @returns what becomes of their automaton. Rejects if the thread fails, which says nothing of the routes, or is closed.
   */
  fitOf(tables: readonly Uint8Array<ArrayBuffer>[]): Promise<AutomatonFit> {
    const made = this.last.then(() => this.ask(tables));
    this.last = made.catch(() => undefined);
    return made;
  }

  /** What is being made is given up, and no more is begun. */
  async close(): Promise<void> {
    this.closed = true;
    await this.end();
  }

  private async ask(tables: readonly Uint8Array<ArrayBuffer>[]): Promise<AutomatonFit> {
    if (this.closed) throw new Error("the control plane is being closed: no automaton is made");
    clearTimeout(this.idle);
    this.worker ??= this.begin();
    try {
      return await answerOf(this.worker, tables);
    } finally {
      this.idle = setTimeout(() => void this.end(), idleMs).unref();
    }
  }

  private begin(): Worker {
    const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: this.mostMebibytes } });
    const forget = (): void => {
      if (this.worker === worker) this.worker = undefined;
    };
    worker.once("error", forget).once("exit", forget).unref();
    return worker;
  }

  private async end(): Promise<void> {
    clearTimeout(this.idle);
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }
}

async function answerOf(worker: Worker, tables: readonly Uint8Array<ArrayBuffer>[]): Promise<AutomatonFit> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(worker, "exit", { signal }).then(([code]) => {
    throw new Error(`the thread that makes automata ended with ${code}`);
  });
  const answered = once(worker, "message", { signal }).then(([fit]) => fit as AutomatonFit);
  worker.postMessage(
    tables,
    tables.map(({ buffer }) => buffer),
  );
  try {
    return await Promise.race([answered, ended]);
  } finally {
    over.abort();
  }
}
