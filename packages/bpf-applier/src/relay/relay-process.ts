import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect, Socket } from "node:net";
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageStream } from "./message-stream.ts";
import type { Hello, RelayMessage } from "./messages.ts";
import { OwnTime } from "./own-time.ts";

/** How long a relay that is there is waited for to say who it is, in milliseconds of its time: as long as for any answer. */
const helloMs = 10_000;
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
  private itsPid: Parts["pid"];
  readonly ended: Parts["ended"];
  readonly kill: Parts["kill"];
  private readonly unref: Parts["unref"];
  private readonly stream: MessageStream;
  private isLetGo = false;
  private readonly greeting = Promise.withResolvers<Hello | undefined>();
  private readonly loading = Promise.withResolvers<void>();
  /** What it says, but for its first words. */
  onMessage: (message: RelayMessage) => void = () => undefined;

  private constructor(socket: Socket, { pid, ended, kill, unref }: Parts) {
    this.itsPid = pid;
    this.ended = ended;
    this.kill = kill;
    this.unref = unref;
    const onEnd = (): void => {
      this.greeting.resolve(undefined);
      // One that cannot be spoken to any more is to be none.
      if (!this.isLetGo) kill();
    };
    void ended.then((why) => this.loading.reject(new Error(`relay: its process ended: ${why}`)));
    this.loading.promise.catch(() => undefined); // not everybody asks
    this.stream = new MessageStream(socket, (message) => this.hear(message as RelayMessage), onEnd);
  }

  get pid(): number | undefined {
    return this.itsPid;
  }

  /** For OwnTime. */
  pids(): number[] {
    return this.itsPid === undefined ? [] : [this.itsPid];
  }

  /** Rejects if it ends before. */
  get loaded(): Promise<void> {
    return this.loading.promise;
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
   * The one that an earlier agent has left. One that does not say who it is within 10 s of its time is killed, and so is any that cannot be
   * reached beside it; one that is about to end is waited for.
   * @param line its socket
   * @throws Error if one that is to be gone does not end
   */
  static async find(line: string): Promise<{ process: RelayProcess; hello: Hello } | undefined> {
    const there = relaysOf(line);
    if (there.length === 0) return undefined;
    const socket = connect(line);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    let isEnding = false;
    socket.once("end", () => {
      isEnding = true;
    });
    const found: RelayProcess = new RelayProcess(socket, {
      pid: undefined, // until it has said which of them it is
      ended: closed
        .then(() => (found.pid === undefined ? undefined : untilGone(line, found.pid)))
        .then(() => "it is gone", messageOf),
      kill: () => killRelay(line, found.pid),
      unref: () => undefined,
    });
    const hello = await found.hello(there);
    found.itsPid = there.find((pid) => pid === hello?.pid);
    const others = there.filter((pid) => pid !== found.pid);
    if (isEnding) await Promise.allSettled(others.map((pid) => untilGone(line, pid)));
    for (const pid of others) killRelay(line, pid);
    await Promise.all(others.map((pid) => untilGone(line, pid)));
    if (hello !== undefined && found.pid !== undefined) return { process: found, hello };
    found.letGo();
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

  /** @param pids that it may be */
  private hello(pids: readonly number[]): Promise<Hello | undefined> {
    const time = new OwnTime(
      helloMs,
      () => pids,
      () => this.greeting.resolve(undefined),
    );
    return this.greeting.promise.finally(() => time.stop());
  }

  private hear(message: RelayMessage): void {
    if (message.kind === "hello") {
      this.loading.resolve();
      this.greeting.resolve(message);
    } else if (message.kind === "loaded") this.loading.resolve();
    else this.onMessage(message);
  }
}

/**
 * The processes whose socket that is, whether or not they answer there. Whose arguments say so may be anyone: believed are only
 * those of this user and in the namespace of process ids that /proc is of, which no pod's are.
 */
function relaysOf(line: string): number[] {
  return readdirSync("/proc")
    .filter((id) => /^\d+$/.test(id))
    .map(Number)
    .filter((pid) => isRelayOf(line, pid) && isOwn(pid));
}

const isRelayOf = (line: string, pid: number): boolean =>
  ofProcess(pid, "cmdline").includes(`\0--line\0${line}\0`);

function isOwn(pid: number): boolean {
  const status = ofProcess(pid, "status");
  const [, realUser] = /^Uid:\t(\d+)/m.exec(status) ?? [];
  return Number(realUser) === process.getuid?.() && /^NSpid:\t\d+$/m.test(status);
}

function ofProcess(pid: number, file: "cmdline" | "status"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return ""; // it has ended
  }
}

function killRelay(line: string, pid: number | undefined): void {
  if (pid === undefined || !isRelayOf(line, pid)) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended; if it has not, who waits for its end says so.
  }
}

async function untilGone(line: string, pid: number): Promise<void> {
  const deadline = performance.now() + goneMs;
  while (isRelayOf(line, pid)) {
    if (performance.now() > deadline)
      throw new Error(`the relay that was there before, process ${pid}, does not end`);
    await sleep(lookAgainMs);
  }
}

const messageOf = (error: Error): string => error.message;
