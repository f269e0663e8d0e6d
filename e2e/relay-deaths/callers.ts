import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Pod } from "../world/pod.ts";
import type { RunningProcess } from "../world/running-process.ts";

/** Connections of a pod to one address. */
export interface CallersTask {
  readonly host: string;
  readonly port: number;
  /** That each connection asks for by turns; "/" if left out. */
  readonly paths?: readonly string[];
  /** That ask again and again. */
  readonly busy: number;
  /** That wait up to 50 ms between two requests. */
  readonly pausing: number;
  /** That have asked once. */
  readonly idle: number;
  /** Of which each carries one request, and another one follows. */
  readonly fresh: number;
}

/** What came of it since the start. */
export interface CallersResult {
  answers: number;
  /** Requests whose connection ended before the answer was whole; the caller opens another one. */
  lost: number;
  /** Of them the only ones of their connections. */
  lostFirst: number;
  /** Connections that ended while no request was under way. */
  closedBetween: number;
  /** Attempts to connect that failed. */
  refused: number;
  /** What was received that is no answer to what was asked. */
  readonly wrong: string[];
}

/** Callers that keep their connections, in a program in a pod. */
export class Callers {
  private readonly process: RunningProcess;
  private readonly lines: Interface;

  private constructor(process: RunningProcess) {
    this.process = process;
    const { stdout } = process.child;
    if (stdout === null) throw new Error(`${process.title} has no output to be read`);
    this.lines = createInterface({ input: stdout });
  }

  /** Resolves once all are connected, and the idle ones have asked. */
  static async start(pod: Pod, task: CallersTask): Promise<Callers> {
    const program = new URL("programs/callers.ts", import.meta.url).pathname;
    return new Callers(await pod.startServer(process.execPath, program, JSON.stringify(task)));
  }

  /** So far; each idle connection has carried one more request. */
  async result(): Promise<CallersResult> {
    const line = once(this.lines, "line");
    this.process.child.stdin?.write("\n");
    return JSON.parse(String(await line)) as CallersResult;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }
}
