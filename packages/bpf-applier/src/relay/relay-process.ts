import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect, Socket } from "node:net";
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageStream } from "./message-stream.ts";
import type { Hello, RelayMessage } from "./messages.ts";

/** How long a relay that is there is waited for to say who it is, in milliseconds. */
const helloMs = 2_000;
/** How long a process that was killed is waited for, in milliseconds. */
const goneMs = 5_000;
const lookAgainMs = 10;
const program = new URL(`./process/main${extname(import.meta.filename)}`, import.meta.url).pathname;
/** Space for young objects, in MiB: more of it makes requests no cheaper, and the process larger. */
const execArgv = ["--max-semi-space-size=8"];

interface Parts {
  readonly pid: number | undefined;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  readonly kill: () => void;
  /** This process need not run on for it. */
  readonly unref: () => void;
}

/** The process of a relay, and the line to it. */
export class RelayProcess {
  readonly pid: Parts["pid"];
  readonly ended: Parts["ended"];
  readonly kill: Parts["kill"];
  private readonly unref: Parts["unref"];
  private readonly stream: MessageStream;
  private isLetGo = false;
  private readonly greeting = Promise.withResolvers<Hello | undefined>();
  /** What it says, but for its first words. */
  onMessage: (message: RelayMessage) => void = () => undefined;

  private constructor(socket: Socket, { pid, ended, kill, unref }: Parts) {
    this.pid = pid;
    this.ended = ended;
    this.kill = kill;
    this.unref = unref;
    const onEnd = (): void => {
      this.greeting.resolve(undefined);
      // One that cannot be spoken to any more is to be none.
      if (!this.isLetGo) kill();
    };
    this.stream = new MessageStream(socket, (message) => this.hear(message as RelayMessage), onEnd);
  }

  /** In a group of its own: signals to the agent's are not for it. */
  static start(flags: readonly string[]): RelayProcess {
    const child = spawn(process.execPath, [...execArgv, program, ...flags], {
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "pipe"],
    });
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
    });
    const socket = child.stdio[3] as Socket | undefined;
    return new RelayProcess(socket ?? new Socket().destroy(), {
      pid: child.pid,
      ended,
      kill: () => void child.kill("SIGKILL"),
      unref: () => child.unref(),
    });
  }

  /**
   * The one that an earlier agent has left. One that does not say who it is within 2 s is killed.
   * @param line its socket
   */
  static async find(line: string): Promise<{ process: RelayProcess; hello: Hello } | undefined> {
    const pid = pidOf(line);
    if (pid === undefined) return undefined;
    const kill = (): void => {
      if (pidOf(line) === pid) process.kill(pid, "SIGKILL");
    };
    const socket = connect(line);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const ended = closed
      .then(() => untilGone(line, pid))
      .then(
        () => "it is gone",
        (error: Error) => error.message,
      );
    const found = new RelayProcess(socket, { pid, ended, kill, unref: () => undefined });
    const hello = await found.hello();
    if (hello !== undefined) return { process: found, hello };
    found.letGo();
    kill();
    await untilGone(line, pid);
    return undefined;
  }

  send(message: unknown, sent: (error?: Error | null) => void): void {
    this.stream.send(message, sent);
  }

  /** Nothing is said any more. It ends, if it was told to; else it goes on for the next agent. */
  letGo(): void {
    this.isLetGo = true;
    this.unref();
    this.stream.close();
  }

  private hello(): Promise<Hello | undefined> {
    const timer = setTimeout(() => this.greeting.resolve(undefined), helloMs);
    return this.greeting.promise.finally(() => clearTimeout(timer));
  }

  private hear(message: RelayMessage): void {
    if (message.kind === "hello") this.greeting.resolve(message);
    else this.onMessage(message);
  }
}

/** The process whose socket that is, whether or not it answers there. */
function pidOf(line: string): number | undefined {
  const found = readdirSync("/proc").find(
    (id) => /^\d+$/.test(id) && argumentsOf(id).includes(`\0--line\0${line}\0`),
  );
  return found === undefined ? undefined : Number(found);
}

function argumentsOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "latin1");
  } catch {
    return ""; // it has ended
  }
}

async function untilGone(line: string, pid: number): Promise<void> {
  const deadline = performance.now() + goneMs;
  while (pidOf(line) === pid) {
    if (performance.now() > deadline)
      throw new Error(`the relay that was there before, process ${pid}, does not end`);
    await sleep(lookAgainMs);
  }
}
