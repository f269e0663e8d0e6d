import { createInterface } from "node:readline";
import type { Pod } from "./pod.ts";
import { programPath, type RunningProcess } from "./running-process.ts";

/** One request of a program in a pod. */
export interface CallerRequest {
  readonly id: number;
  /** Requests of the same name go over the same connection, one after the other, as long as it is kept. */
  readonly connection: string;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values in turn, in place of `headers`; then "Host" is among them. */
  readonly rawHeaders?: readonly string[];
  readonly content: string;
}

/** What came of it. */
export type CallerAnswer =
  | {
      readonly id: number;
      readonly status: number;
      /** Names and values in turn. */
      readonly rawHeaders: readonly string[];
      readonly body: string;
      /** The peer's address as the caller's socket showed it. */
      readonly peer: string;
      /** The caller's own port: another one is another connection. */
      readonly localPort: number;
      readonly error?: undefined;
    }
  | { readonly id: number; readonly error: string };

export type Ask = Pick<CallerRequest, "host" | "port"> &
  Partial<Pick<CallerRequest, "connection" | "method" | "path" | "headers" | "rawHeaders" | "content">>;

/** A program in a pod that sends requests, as it is told, on connections that are kept. */
export class KeepAliveCaller {
  private readonly process: RunningProcess;
  private readonly waiting = new Map<number, (answer: CallerAnswer) => void>();
  private nextId = 1;

  private constructor(process: RunningProcess) {
    this.process = process;
    const { stdout } = process.child;
    if (stdout === null) throw new Error(`${process.title} has no output to be read`);
    createInterface({ input: stdout }).on("line", (line) => {
      const answer = JSON.parse(line) as CallerAnswer;
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
  }

  static async start(pod: Pod): Promise<KeepAliveCaller> {
    const program = programPath("keep-alive-caller.ts");
    return new KeepAliveCaller(await pod.startServer(process.execPath, program));
  }

  ask(ask: Ask): Promise<CallerAnswer> {
    const { connection = "one", method = "GET", path = "/", headers = {}, content = "" } = ask;
    const asked: CallerRequest = { ...ask, id: this.nextId++, connection, method, path, headers, content };
    return new Promise((resolve) => {
      this.waiting.set(asked.id, resolve);
      this.process.child.stdin?.write(`${JSON.stringify(asked)}\n`);
    });
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`${this.process.title} does not run`);
    return this.process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }
}
