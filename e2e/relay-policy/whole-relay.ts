import { Agent } from "node:http";
import { RelayCore } from "@keelson/bpf-applier/relay-core";
import type { Case } from "./cases.ts";
import type { EchoServer } from "./echo.ts";
import { type Asked, HttpSide } from "./http-side.ts";
import { relayServiceOf, setsOf } from "./mesh.ts";
import type { Seen } from "./seen.ts";
import { sendByAgent } from "./sender.ts";

export interface WholeQuestion extends Asked {
  /** Of the case. */
  readonly number: number;
  /** What all that is left to chance comes to, 0 up to 1. */
  readonly draw: number;
}

/** The relay with all that it has but its process and BPF: callers reach it on ports of loopback, one for each case. */
export class WholeRelay implements AsyncDisposable {
  private readonly core: RelayCore;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly sides: HttpSide[] = [];
  private readonly echo: EchoServer;
  /** One for all, so requests are asked one at a time. */
  private draw = 0;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(echo: EchoServer) {
    this.echo = echo;
    this.core = new RelayCore(
      { take: ({ network }) => ({ workload: 0n, service: network, cookie: 0n }) },
      { random: () => this.draw },
    );
  }

  static async start(cases: readonly Case[], echo: EchoServer): Promise<WholeRelay> {
    const relay = new WholeRelay(echo);
    relay.core.applyPolicy({
      services: new Map(cases.map((one, number) => [identifier(number), relayServiceOf(one, number)])),
      endpointSets: new Map(
        cases.flatMap((_, number) => setsOf(number, echo.port).map((set) => [set.name, set])),
      ),
      workloads: new Map(),
    });
    for (const number of cases.keys()) {
      const { port4 } = await relay.core.addNetwork({ cookie: identifier(number), path: undefined });
      relay.sides.push(new HttpSide(sendByAgent(relay.agent, port4), relay.echo));
    }
    return relay;
  }

  /** @throws Error if there is no answer at all */
  ask({ number, draw, ...asked }: WholeQuestion): Promise<Seen> {
    const answered = this.last.then(() => {
      this.draw = draw;
      const side = this.sides[number];
      if (side === undefined) throw new Error(`there is no case ${number}`);
      return side.ask(asked);
    });
    this.last = answered.catch(() => undefined);
    return answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy();
    await this.core.close(0);
  }
}

const identifier = (number: number): bigint => BigInt(number + 1);
