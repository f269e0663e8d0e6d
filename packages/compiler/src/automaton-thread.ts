import { once } from "node:events";
import { type Transferable, Worker } from "node:worker_threads";

/** Of the thread's heap. Rules that keep to the automaton's bounds need half of it. */
const mostThreadMebibytes = 1_024;
/** How long the thread stays for the next automaton; then it goes with all that it has allocated. */
const idleMs = 1_000;

/** Makes automata in a thread of its own, one at a time, which is there while there is something to do. */
export class AutomatonThread<Answer> {
  private readonly program: URL;
  private readonly mostMebibytes: number;
  private worker: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  /** @param program answers each message by one, an `Answer` */
  constructor(program: URL, mostMebibytes = mostThreadMebibytes) {
    this.program = program;
    this.mostMebibytes = mostMebibytes;
  }

  /**
   * @param transfer what of the question is the thread's then
   * @returns what the program answers. Rejects if the thread fails, which says nothing of what was asked, or is closed.
   */
  ask(question: unknown, transfer: readonly Transferable[] = []): Promise<Answer> {
    const answer = this.last.then(() => this.askNext(question, transfer));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  /** What is being made is given up, and no more is begun. */
  async close(): Promise<void> {
    this.closed = true;
    await this.end();
  }

  private async askNext(question: unknown, transfer: readonly Transferable[]): Promise<Answer> {
    if (this.closed) throw new Error("the program is being closed: no automaton is made");
    clearTimeout(this.idle);
    this.worker ??= this.begin();
    try {
      return (await answerOf(this.worker, question, transfer)) as Answer;
    } finally {
      this.idle = setTimeout(() => void this.end(), idleMs).unref();
    }
  }

  private begin(): Worker {
    const worker = new Worker(this.program, {
      resourceLimits: { maxOldGenerationSizeMb: this.mostMebibytes },
    });
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

async function answerOf(
  worker: Worker,
  question: unknown,
  transfer: readonly Transferable[],
): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(worker, "exit", { signal }).then(([code]) => {
    throw new Error(`the thread that makes automata ended with ${code}`);
  });
  const answered = once(worker, "message", { signal }).then(([answer]) => answer as unknown);
  worker.postMessage(question, transfer);
  try {
    return await Promise.race([answered, ended]);
  } finally {
    over.abort();
  }
}
