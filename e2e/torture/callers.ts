import { createInterface } from "node:readline";
import type { RunningProcess } from "../world/running-process.ts";
import { until } from "../world/until.ts";
import { program, type TortureWorld } from "./torture-world.ts";

/** What came of the requests so far, see programs/caller.c. */
export interface Report {
  readonly begun: number;
  readonly right: number;
  /** By callers that went away. */
  readonly abandoned: number;
  /** Of connections that may be cut. */
  readonly cut: number;
  /** Of those, answered by no server. */
  readonly refused: number;
  /** Anything that may not be. */
  readonly wrong: number;
  /** Nothing came for a minute. */
  readonly hung: number;
  /** Calls that gave EAGAIN though they block; none on a socket that is in no sockhash. */
  readonly sentAway: number;
  readonly connections: number;
  /** Of bodies, both ways. */
  readonly bytes: number;
  /** Whether connections may be cut now. */
  readonly mayBeCut: boolean;
}

export interface Orders {
  readonly seed: number;
  readonly callers: number;
  /** Of the largest body. */
  readonly mostBytes: number;
  /** Some read by splice. */
  readonly splices: boolean;
}

/** Longer than a caller waits before it says that it hangs. */
const patienceMs = 300_000;

/**
 * Of each caller, behind each exchange while a relay or an agent is away. An emulated machine has no processors to spare: beside
 * callers at full speed, what is started anew takes minutes there.
 */
const pauseMs = process.env["KEELSON_GUEST"] === undefined ? 0 : 200;

const none: Report = {
  begun: 0,
  right: 0,
  abandoned: 0,
  cut: 0,
  refused: 0,
  wrong: 0,
  hung: 0,
  sentAway: 0,
  connections: 0,
  bytes: 0,
  mayBeCut: false,
};

/** The program with many callers, in the caller's pod. */
export class Callers {
  report: Report = none;
  private readonly process: RunningProcess;
  private isOver = false;

  constructor(torture: TortureWorld, { seed, callers, mostBytes, splices }: Orders) {
    const words = [seed, callers, mostBytes, splices ? 1 : 0, pauseMs].map(String);
    this.process = torture.world
      .pod("caller")
      .startPiped(program("caller"), ...words, torture.port, ...torture.hosts);
    if (this.process.child.stdout === null) throw new Error("the callers' output is no pipe");
    createInterface(this.process.child.stdout).on("line", (line) => {
      const { isLast, ...report } = JSON.parse(line) as Report & { isLast: boolean };
      this.report = report;
      this.isOver ||= isLast;
    });
  }

  /** Connections may be cut while it runs. */
  async mayBeCut(action: () => Promise<void>): Promise<void> {
    await this.allowCuts(true);
    await action();
    await this.allowCuts(false);
  }

  /** Resolves when so many more requests are answered. */
  async moreAnswers(count: number): Promise<void> {
    const wanted = this.report.right + count;
    await until(() => this.look(this.report.right >= wanted), {
      what: `${count} more answers`,
      timeoutMs: patienceMs,
    });
  }

  /** Lets them end what they have begun. @returns what came of all requests */
  async end(): Promise<Report> {
    this.order("end");
    await until(() => this.look(false), { what: "all callers to be done", timeoutMs: patienceMs });
    return this.report;
  }

  /** What went wrong, a line each. */
  trouble(): Promise<string> {
    return this.process.lastLines(40);
  }

  private async look(isEnough: boolean): Promise<boolean> {
    // Its last line may come after its end.
    if (!this.isOver && this.process.child.exitCode !== 0) await this.process.assertAlive();
    return this.isOver || isEnough;
  }

  private async allowCuts(wanted: boolean): Promise<void> {
    this.order(wanted ? "cuts on" : "cuts off");
    await until(() => this.look(this.report.mayBeCut === wanted), {
      what: "callers to know what may be cut",
    });
  }

  private order(text: string): void {
    this.process.child.stdin?.write(`${text}\n`);
  }
}
