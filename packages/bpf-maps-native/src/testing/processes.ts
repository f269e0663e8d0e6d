import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A cgroup's folder and a network namespace's name; without one, this process's own. */
export interface Place {
  cgroup: string;
  netns?: string;
}

/** A process that speaks in lines. It is killed when disposed, if it still runs. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown[]>;

  constructor(command: string, parameters: string[]) {
    this.#child = spawn(command, parameters, { stdio: "pipe" });
    this.#child.stderr.pipe(process.stderr);
    this.#exit = once(this.#child, "exit");
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Undefined when the process has no more to say. */
  async readLine(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends its input and waits until it is gone; the exit code, or the signal that ended it. */
  async end(): Promise<number | string> {
    this.#child.stdin.end();
    await this.#exit;
    return this.#child.exitCode ?? this.#child.signalCode ?? "running";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}

/** Runs the text of an ES module in a cgroup and a namespace. */
export function startInside({ cgroup, netns }: Place, script: string, ...parameters: string[]): LineProcess {
  const enter = 'echo $$ > "$1/cgroup.procs" && shift && exec nsenter "$@"';
  const node = [process.execPath, "--input-type=module", "-e", script, ...parameters];
  const namespace = netns === undefined ? "/proc/self/ns/net" : `/run/netns/${netns}`;
  return new LineProcess("sh", ["-c", enter, "sh", cgroup, `--net=${namespace}`, "--", ...node]);
}

/** Runs a program in this process's place. */
export function startNode(...parameters: string[]): LineProcess {
  return new LineProcess(process.execPath, parameters);
}
