import type { Callers } from "./callers.ts";
import { firstShape, type PodName, type Shape, type TortureWorld } from "./torture-world.ts";

/** Numbers below 1, by a seed (splitmix32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let value = state ^ (state >>> 16);
    value = Math.imul(value, 0x21f0aaad);
    value ^= value >>> 15;
    value = Math.imul(value, 0x735a2d97);
    return ((value ^ (value >>> 15)) >>> 0) / 2 ** 32;
  };
}

const kinds = ["endpoints", "rules", "killed relay", "killed agent", "restarted agent"] as const;
export type Change = (typeof kinds)[number];

/** How often each is done, of all. */
const weights: Readonly<Record<Change, number>> = {
  endpoints: 8,
  rules: 8,
  "killed relay": 2,
  "killed agent": 1,
  "restarted agent": 1,
};

export type Changes = Readonly<Record<Change, number>>;

/** What happens to a node under traffic, one thing after another, by a seed. */
export class Churn {
  readonly done: Record<Change, number> = {
    endpoints: 0,
    rules: 0,
    "killed relay": 0,
    "killed agent": 0,
    "restarted agent": 0,
  };
  private readonly torture: TortureWorld;
  private readonly callers: Callers;
  private readonly chance: () => number;
  private shape: Shape = firstShape;

  constructor(torture: TortureWorld, callers: Callers, chance: () => number) {
    this.torture = torture;
    this.callers = callers;
    this.chance = chance;
  }

  /** Does one of all things. */
  some(): Promise<void> {
    let left = this.chance() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    const kind = kinds.find((one) => (left -= weights[one]) < 0) ?? "rules";
    return this.make(kind);
  }

  async make(kind: Change): Promise<void> {
    const { torture, callers } = this;
    switch (kind) {
      case "endpoints":
        await this.change({ leftOut: this.someOf(["v1b", "v2b"]) });
        break;
      case "rules":
        await this.change({ v1Weight: Math.floor(this.chance() * 101), hasTimeout: this.chance() < 0.3 });
        break;
      case "killed relay":
        await callers.mayBeCut(() => torture.killRelay());
        break;
      case "killed agent":
        await callers.mayBeCut(() => torture.restartAgent("kill"));
        break;
      case "restarted agent":
        await callers.mayBeCut(() => torture.restartAgent("stop"));
    }
    this.done[kind] += 1;
  }

  private async change(some: Partial<Shape>): Promise<void> {
    // Another number of routes that nobody asks for makes each a version of its own.
    this.shape = { ...this.shape, ...some, others: 1 + ((this.shape.others + 1) % 7) };
    await this.torture.change(this.shape);
  }

  private someOf(pods: readonly PodName[]): readonly PodName[] {
    return pods.filter(() => this.chance() < 0.5);
  }
}
