import { RelayCore } from "@keelson/bpf-applier/relay-core";
import type { RequestHead } from "@keelson/bpf-applier/relay-policy";
import type { Case } from "./cases.ts";
import type { EchoServer } from "./echo.ts";
import { HttpSide } from "./http-side.ts";
import { relayServiceOf, setsOf } from "./mesh.ts";
import type { Seen } from "./seen.ts";

export interface WholeQuestion {
  /** Of the case. */
  readonly number: number;
  readonly head: RequestHead;
  readonly id: string;
  /** What all that is left to chance comes to, 0 up to 1. */
  readonly draw: number;
  readonly awaitsMirror: boolean;
}

/** The relay with all that it has but its process and BPF: callers reach it on ports of loopback, one for each case. */
export class WholeRelay implements AsyncDisposable {
  private readonly core: RelayCore;
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
      relay.sides.push(new HttpSide(port4, relay.echo));
    }
    return relay;
  }

  /** @throws Error if there is no answer at all */
  ask({ number, head, id, draw, awaitsMirror }: WholeQuestion): Promise<Seen> {
    const asked = this.last.then(() => {
      this.draw = draw;
      const side = this.sides[number];
      if (side === undefined) throw new Error(`there is no case ${number}`);
      return side.ask(head, id, awaitsMirror);
    });
    this.last = asked.catch(() => undefined);
    return asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of this.sides) side.close();
    await this.core.close(0);
  }
}

const identifier = (number: number): bigint => BigInt(number + 1);
