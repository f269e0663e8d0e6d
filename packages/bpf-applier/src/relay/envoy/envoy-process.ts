import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { bootstrapText, type EnvoySockets } from "./bootstrap.ts";

/** Threads that carry requests. */
const workers = 2;
/** How long Envoy keeps what it logs of requests. */
const flushMs = 100;
/** Between two looks at what has no other way to be told. */
const lookMs = 5;
/** Before it is killed when it is told to end. */
const killAfterMs = 1_000;

/** An Envoy that ends with this process, whatever becomes of that. */
export class EnvoyProcess {
  /** What it writes of requests. */
  readonly log: Readable;
  private readonly child: ChildProcess;
  private readonly admin: string;
  private endedBecause: string | undefined;

  /**
   * @param program its path
   * @param onEnd told once, with the reason, when it has ended, or could not be started
   */
  constructor(program: string, sockets: EnvoySockets, onEnd: (why: string) => void) {
    this.admin = sockets.admin;
    const args = ["--config-yaml", bootstrapText(sockets), "--disable-hot-restart", "--log-level", "warning"];
    const more = ["--concurrency", String(workers), "--file-flush-interval-msec", String(flushMs)];
    this.child = spawn(
      "setpriv",
      // Callers that a listener no longer is for are told with the next answer.
      ["--pdeathsig", "KILL", "--", program, ...args, ...more, "--drain-strategy", "immediate"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.log = this.child.stdout as Readable;
    const end = (why: string): void => {
      if (this.endedBecause !== undefined) return;
      this.endedBecause = why;
      onEnd(why);
    };
    this.child.on("error", (error) => end(`${program}: ${error.message}`));
    this.child.on("exit", (code, signal) => end(`${program}: ${signal ?? `exit code ${String(code)}`}`));
  }

  /** Undefined: it has ended. */
  get pid(): number | undefined {
    return this.endedBecause === undefined ? this.child.pid : undefined;
  }

  /** Resolves when it has all of its first configuration. @throws Error if it ends before */
  async live(): Promise<void> {
    await this.until(async () => (await this.ask("GET", "/ready").catch(() => "")).trim() === "LIVE");
  }

  /** Resolves when nothing that it was told is still being made ready. @throws Error if it ends before */
  async settled(): Promise<void> {
    const warming = ["listener_manager.total_listeners_warming", "cluster_manager.warming_clusters"];
    await this.until(async () => (await this.gauges(warming)).every((value) => value === 0));
  }

  /** Connections of callers. */
  async connections(): Promise<number> {
    const [open = 0] = await this.gauges(["listener.relay.downstream_cx_active"]);
    return open;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.endedBecause !== undefined) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), killAfterMs);
    await exited;
    clearTimeout(timer);
  }

  /** Values of its statistics; 0 for one that it does not have yet. */
  private async gauges(names: readonly string[]): Promise<number[]> {
    const filter = encodeURIComponent(`^(${names.map((name) => name.replaceAll(".", "\\.")).join("|")})$`);
    const answer = await this.ask("GET", `/stats?format=json&filter=${filter}`);
    const { stats } = JSON.parse(answer) as { stats: { name: string; value: number }[] };
    return names.map((name) => stats.find((one) => one.name === name)?.value ?? 0);
  }

  private async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (this.endedBecause !== undefined) throw new Error(this.endedBecause);
      await sleep(lookMs);
    }
  }

  private ask(method: "GET" | "POST", path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.admin, method, path }, (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (piece: string) => (body += piece));
        answer.once("error", reject).once("end", () => resolve(body));
      });
      call.once("error", reject).end();
    });
  }
}
