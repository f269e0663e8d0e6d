import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { type CrowdOptions, type Expectation, type FromCrowd, monotonicMs } from "./clients/messages.ts";

type Told<Kind extends FromCrowd["kind"]> = Extract<FromCrowd, { kind: Kind }>;

/** Longest time in ms for clients to have all, and for a change to reach them. */
const patienceMs = { up: 300_000, change: 60_000 } as const;

/** Simulated proxies in a process of their own. */
export class Crowd {
  /** How long it took until all had everything. */
  readonly up: Promise<Told<"up">>;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<(message: FromCrowd) => void>();
  private failure: Error | undefined;

  constructor(options: CrowdOptions) {
    const program = join(import.meta.dirname, "clients", "main.ts");
    this.child = fork(program, [JSON.stringify(options)], { stdio: "inherit" });
    this.child.on("message", (message: FromCrowd) => this.hear(message));
    this.child.on("exit", (code) =>
      this.hear({ kind: "failed", why: `the clients ended with code ${code}` }),
    );
    this.up = this.told("up", () => true, patienceMs.up);
    this.up.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /**
   * Makes a change, and waits until every client that sees the cluster has acked endpoints with the address.
   * @returns for each of them, ms from just before the change, ascending
   */
  async change(expectation: Omit<Expectation, "kind">, make: () => unknown): Promise<number[]> {
    const isIt = (message: { readonly change: number }): boolean => message.change === expectation.change;
    const expecting = this.told("expecting", isIt, patienceMs.change);
    const changed = this.told("changed", isIt, patienceMs.change);
    // Who waits for it does so below; until then it is nobody's failure.
    changed.catch(() => undefined);
    this.child.send({ kind: "expect", ...expectation } satisfies Expectation);
    await expecting;
    const start = monotonicMs();
    await make();
    const { ackedAt } = await changed;
    return ackedAt.map((at) => at - start).sort((a, b) => a - b);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.disconnect();
    await ended;
  }

  private hear(message: FromCrowd): void {
    if (message.kind === "failed") this.failure ??= new Error(`simulated clients: ${message.why}`);
    for (const listener of this.listeners) listener(message);
  }

  private told<Kind extends FromCrowd["kind"]>(
    kind: Kind,
    isIt: (message: Told<Kind>) => boolean,
    withinMs: number,
  ): Promise<Told<Kind>> {
    const { promise, resolve, reject } = Promise.withResolvers<Told<Kind>>();
    const timer = setTimeout(
      () => reject(new Error(`simulated clients: not "${kind}" within ${withinMs / 1000} s`)),
      withinMs,
    );
    const listen = (message: FromCrowd): void => {
      if (this.failure !== undefined) reject(this.failure);
      else if (message.kind === kind && isIt(message as Told<Kind>)) resolve(message as Told<Kind>);
    };
    this.listeners.add(listen);
    if (this.failure !== undefined) reject(this.failure);
    return promise.finally(() => {
      clearTimeout(timer);
      this.listeners.delete(listen);
    });
  }
}
