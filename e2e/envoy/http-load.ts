import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../world/until.ts";

export interface HttpTarget {
  readonly host: string;
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Of each sender between two requests, in ms: who follows a change needs processors, too. */
const pauseMs = 2;

/** Sends requests one after the other, over connections that stay open, until it is stopped. */
export class HttpLoad {
  /** What went wrong, from the start. */
  readonly failures: string[] = [];
  private readonly target: HttpTarget;
  private readonly agent: Agent;
  private readonly senders: Promise<void>[];
  private stopping = false;
  private answers = new Map<string, number>();

  /** @param senders requests under way at once. */
  constructor(target: HttpTarget, senders: number) {
    this.target = target;
    this.agent = new Agent({ keepAlive: true, maxSockets: senders });
    this.senders = Array.from({ length: senders }, () => this.send());
  }

  /** Answers since the last call: body → how many. */
  takeAnswers(): ReadonlyMap<string, number> {
    const taken = this.answers;
    this.answers = new Map();
    return taken;
  }

  /** Waits until for `count` answers in a row only these come, and all of them. */
  async untilOnly(bodies: readonly string[], count = 50): Promise<void> {
    this.takeAnswers();
    await until(
      () => {
        const seen = [...this.answers.keys()].sort();
        if (seen.some((body) => !bodies.includes(body))) this.takeAnswers();
        const total = [...this.answers.values()].reduce((sum, each) => sum + each, 0);
        return total >= count && seen.join() === [...bodies].sort().join();
      },
      { what: `answers of ${bodies.join(" and ")} only; failures: ${this.failures.slice(0, 3).join("; ")}` },
    );
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.senders);
    this.agent.destroy();
  }

  private async send(): Promise<void> {
    while (!this.stopping) {
      try {
        const body = await this.once();
        this.answers.set(body, (this.answers.get(body) ?? 0) + 1);
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : String(error));
      }
      await delay(pauseMs);
    }
  }

  private once(): Promise<string> {
    return new Promise((resolve, reject) => {
      const { host, port, headers = {} } = this.target;
      const call = request({ host, port, headers: { ...headers }, agent: this.agent }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
        response.once("error", reject);
        response.once("end", () => {
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`status ${response.statusCode}: ${body.slice(0, 100)}`));
        });
      });
      call.once("error", reject);
      call.end();
    });
  }
}
