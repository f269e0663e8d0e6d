import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { until } from "../world/until.ts";

/** An argument as calls.c reads it; numbers are themselves. */
export type Argument = number | string;

/** A pointer to these bytes. */
export const bytes = (content: Uint8Array | string): Argument => `<${hexOf(content)}`;
/** A pointer to room for so many bytes, which are answered. */
export const room = (size: number): Argument => `>${size}`;
/** A pointer to these bytes, answered as they are afterwards. */
export const changing = (content: Uint8Array): Argument => `=${hexOf(content)}`;
/** A pointer to so many zeros, or to room that nobody wants to see. */
export const zeros = (size: number): Argument => `z${size}`;
/** An array of struct iovec. */
export const vector = (parts: readonly Uint8Array[]): Argument => `v${parts.map(bytes).join(",")}`;
/** The result of the call before this one in a sequence. */
export const previous: Argument = "$";

const hexOf = (content: Uint8Array | string): string => Buffer.from(content).toString("hex");

/** A system call, or "spin", as words: its name (after "x1000": as often as it gives more than 0), its arguments. */
export type Call = readonly [name: string, ...Argument[]];

/** What a system call gave. */
export interface Outcome {
  readonly result: number;
  /** "EAGAIN"; empty after success. */
  readonly error: string;
  /** The content of each `room` and `changing`: of what was read as far as it goes, else whole. */
  readonly filled: readonly Buffer[];
}

/** Calls under way in a thread of their own. */
export interface Pending {
  readonly outcomes: Promise<Outcome[]>;
  /** Waits until the thread sleeps in a call (true), or all have returned (false). */
  sleeps(): Promise<boolean>;
  /** CPU time that the thread has used, in clock ticks of 10 ms. */
  cpuTicks(): number;
  /** Interrupts the call by a signal whose handler has SA_RESTART. */
  interrupt(): Promise<void>;
}

/** Of two names for one number (EWOULDBLOCK) the first by the alphabet. */
const errorNames = new Map(
  Object.entries(constants.errno)
    .toSorted(([a], [b]) => (a < b ? 1 : -1))
    .map(([name, number]) => [number, name]),
);

/** A thread may sleep for a moment on its way into a call, or out of it: it must be seen asleep so often in a row. */
const looksAsleep = 6;

/** The process that makes the system calls of a test, in a network namespace that ends with the last process in it. */
export class Calls implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<string, (words: string) => void>();
  readonly #ended: Promise<unknown[]>;
  #last = 0;

  private constructor(process: ChildProcessByStdio<Writable, Readable, null>) {
    this.#process = process;
    this.#ended = once(process, "exit");
  }

  /**
   * @param cgroup folder of the cgroup that the process is in before it makes a socket
   * @param beside whose network namespace it shares
   */
  static async start(cgroup: string, beside?: Pick<Calls, "namespace">): Promise<Calls> {
    const place = beside === undefined ? "new" : beside.namespace;
    const child = spawn(join(import.meta.dirname, "build/calls"), [place], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const calls = new Calls(child);
    const lines = createInterface(child.stdout);
    const ready = once(lines, "line");
    await Promise.race([
      ready,
      calls.#ended.then(([code]) => Promise.reject(new Error(`calls ended with ${String(code)}`))),
    ]);
    lines.on("line", (line) => calls.#answer(line));
    // Writing to a process that was killed is no error of the test.
    child.stdin.on("error", () => undefined);
    await writeFile(join(cgroup, "cgroup.procs"), `${calls.pid}`);
    return calls;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** For those who are to share it. */
  get namespace(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  /** Makes one call. */
  async call(...call: Call): Promise<Outcome> {
    return (await this.sequence(call))[0] ?? { result: 0, error: "", filled: [] };
  }

  /** Makes one call. @throws Error unless it succeeds. */
  async must(...call: Call): Promise<Outcome> {
    const outcome = await this.call(...call);
    if (outcome.result < 0) throw new Error(`${call.join(" ").slice(0, 200)}: ${outcome.error}`);
    return outcome;
  }

  /** Makes calls one after another, whatever each gives. */
  sequence(...calls: Call[]): Promise<Outcome[]> {
    return this.begin(...calls).outcomes;
  }

  /** The same, to be looked at while it is under way. Calls of a process that is killed never return. */
  begin(...calls: Call[]): Pending {
    const id = `${++this.#last}`;
    const answer = Promise.withResolvers<string>();
    this.#waiting.set(id, answer.resolve);
    this.#process.stdin.write(`${id} ${calls.map((call) => call.join(" ")).join(" ; ")}\n`);
    const thread = (): number => this.#threadOf(id);
    return {
      outcomes: answer.promise.then((words) => words.split(" ; ").map(outcomeOf)),
      sleeps: async () => {
        let asleep = 0;
        const look = (): boolean => {
          if (!this.#waiting.has(id)) return true;
          asleep = /[SD]/.test(this.#statistics(thread())[0] ?? "") ? asleep + 1 : 0;
          return asleep === looksAsleep;
        };
        await until(look, { what: `call ${id} to sleep or return`, everyMs: 2 });
        return this.#waiting.has(id);
      },
      cpuTicks: () => {
        const fields = this.#statistics(thread());
        // utime and stime, fields 14 and 15 of proc(5); the first one here is field 3.
        return Number(fields[11]) + Number(fields[12]);
      },
      interrupt: async () => {
        await this.must("tgkill", this.pid, thread(), constants.signals.SIGUSR1);
      },
    };
  }

  /** Ends it as by kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #answer(line: string): void {
    const space = line.indexOf(" ");
    const id = line.slice(0, space);
    this.#waiting.get(id)?.(line.slice(space + 1));
    this.#waiting.delete(id);
  }

  /** The thread whose name is the call's id. */
  #threadOf(id: string): number {
    const tasks = `/proc/${this.pid}/task`;
    const found = readdirSync(tasks).find((task) => nameOf(`${tasks}/${task}/comm`) === id);
    if (found === undefined) throw new Error(`no thread makes call ${id}: it has ended, or not begun`);
    return Number(found);
  }

  /** Fields of a thread's stat file from the state on, proc(5). */
  #statistics(thread: number): string[] {
    const text = readFileSync(`/proc/${this.pid}/task/${thread}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  }
}

function nameOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return ""; // the thread ended meanwhile
  }
}

function outcomeOf(words: string): Outcome {
  const [result = "", error = "", ...filled] = words.split(" ");
  return {
    result: Number(result),
    error: error === "0" ? "" : (errorNames.get(Number(error)) ?? error),
    filled: filled.map((hex) => Buffer.from(hex, "hex")),
  };
}
