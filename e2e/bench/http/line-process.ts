import { createInterface } from "node:readline";
import { type ProcessOptions, RunningProcess } from "../../world/running-process.ts";

/** A program that answers each line on its standard input with a line of JSON. */
export class LineProcess {
  private readonly process: RunningProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(process: RunningProcess) {
    this.process = process;
    if (process.child.stdout === null) throw new Error(`${process.title} was started without a pipe`);
    this.lines = createInterface({ input: process.child.stdout })[Symbol.asyncIterator]();
  }

  static start(options: Omit<ProcessOptions, "pipeOutput">): LineProcess {
    return new LineProcess(new RunningProcess({ ...options, pipeOutput: true }));
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Only one question at a time. @throws Hopeless, with its last words, if it has ended. */
  async ask(line: string): Promise<unknown> {
    this.process.child.stdin?.write(`${line}\n`);
    return JSON.parse(await this.nextLine());
  }

  /** The next line that it says by itself. @throws Hopeless, with its last words, if it has ended. */
  async nextLine(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done !== true) return value;
    await this.process.ended;
    await this.process.assertAlive();
    throw new Error(`${this.process.title} says nothing more`);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}
