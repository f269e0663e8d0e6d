import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { searchPath } from "./command.ts";
import { inNamespaceRoot } from "./namespace-root.ts";
import { Hopeless, type UntilOptions, until } from "./until.ts";

export interface ProcessOptions {
  /** For messages: "control plane", "pod reviews-v1". */
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  /** Joined before the program's first instruction; this process's own cgroup if left out. */
  readonly cgroup?: string;
  /** Network namespace; this process's own if left out. */
  readonly namespace?: string;
  /** Where standard error goes, and standard output too unless it is piped. Added to, never cut. */
  readonly logFile: string;
  /** Standard output as a pipe, for programs whose output is their result. */
  readonly pipeOutput?: boolean;
  /** All of its environment; this process's own, with a longer PATH, if left out. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it starts; this process's own working folder if left out. */
  readonly workingFolder?: string;
}

/** Joins a cgroup, then becomes the program: no instruction of it runs elsewhere. */
const joinThenExec = 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"';

/** The command line that runs a command in a cgroup and a namespace, from its first instruction. */
export function commandInside({
  command,
  cgroup,
  namespace,
}: Pick<ProcessOptions, "command" | "cgroup" | "namespace">): [string, ...string[]] {
  const inside: [string, ...string[]] =
    namespace === undefined ? [...command] : inNamespaceRoot("ip", "netns", "exec", namespace, ...command);
  return cgroup === undefined ? inside : ["sh", "-c", joinThenExec, "keelson-pod", cgroup, ...inside];
}

/** A program that runs until it is stopped, with its output in a file. */
export class RunningProcess {
  readonly title: string;
  readonly logFile: string;
  readonly child: ChildProcess;
  /** Resolves with how it ended: "code 1", "signal SIGKILL". */
  readonly ended: Promise<string>;
  private end: string | undefined;

  constructor(options: ProcessOptions) {
    this.title = options.title;
    this.logFile = options.logFile;
    const log = openSync(options.logFile, "a");
    const stdio: StdioOptions = ["pipe", options.pipeOutput === true ? "pipe" : log, log];
    const [file, ...args] = commandInside(options);
    // In a session of its own: Ctrl-C at the terminal is for the world's owner, who ends the others in order.
    const env = options.environment ?? { ...process.env, PATH: searchPath };
    this.child = spawn(file, args, { stdio, detached: true, env, cwd: options.workingFolder });
    closeSync(log);
    this.child.stdin?.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => resolve(error.message));
      this.child.once("exit", (code, signal) => resolve(code === null ? `signal ${signal}` : `code ${code}`));
    });
    void this.ended.then((how) => (this.end = how));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get alive(): boolean {
    return this.end === undefined;
  }

  /** For conditions that wait for this program. @throws Hopeless, with its last words, if it has ended. */
  async assertAlive(): Promise<void> {
    if (this.end === undefined) return;
    throw new Hopeless(`${this.title} ended with ${this.end}; ${await this.lastWords()}`);
  }

  /**
   * Waits for what this program is to do.
   * @throws Error with its last lines, if it has ended, and at the time-out: what it does instead, or that it has hardly begun.
   */
  async until(condition: () => Promise<boolean>, options: UntilOptions): Promise<void> {
    const look = async (): Promise<boolean> => {
      await this.assertAlive();
      return condition();
    };
    try {
      await until(look, options);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof Hopeless) throw error;
      throw new Error(`${error.message}; ${await this.lastWords()}`, { cause: error });
    }
  }

  async lastLines(count = 10): Promise<string> {
    const text = await readFile(this.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-count).join("\n");
  }

  private async lastWords(): Promise<string> {
    return `its last lines, of ${this.logFile}:\n${await this.lastLines()}`;
  }

  /**
   * Asks it to end with SIGTERM, and kills it after `patienceMs`.
   * @returns how it ended.
   */
  async stop(patienceMs = 5_000): Promise<string> {
    if (this.end !== undefined) return this.end;
    this.child.kill("SIGTERM");
    const patience = new AbortController();
    const late = delay(patienceMs, undefined, { signal: patience.signal }).then(
      () => this.child.kill("SIGKILL"),
      () => undefined,
    );
    const how = await this.ended;
    patience.abort();
    await late;
    return how;
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** Path of a program of this folder that runs inside pods. */
export const programPath = (name: string): string => join(import.meta.dirname, "programs", name);
