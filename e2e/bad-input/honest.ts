import { Worker } from "node:worker_threads";
import type { VictimPorts } from "./victim.ts";

export interface HonestData {
  readonly ports: VictimPorts;
  /** PEM. */
  readonly root: string;
  readonly token: string;
  /** PEM of a certificate request. */
  readonly csr: string;
}

export interface HonestRound {
  readonly failures: readonly string[];
  readonly ms: number;
}

/** Uses every port again and again. */
export class HonestUser {
  private readonly worker: Worker;
  private rounds = 0;
  private failures: string[] = [];
  private waiting: (() => void)[] = [];

  constructor(data: HonestData) {
    this.worker = new Worker(new URL("./honest-worker.ts", import.meta.url), { workerData: data });
    this.worker.on("message", ({ failures }: HonestRound) => {
      this.rounds += 1;
      this.failures.push(...failures);
      for (const wake of this.waiting.splice(0)) wake();
    });
    this.worker.on("error", (error) => this.failures.push(`the honest user broke: ${error.message}`));
  }

  /** Waits for a round that began after now. @returns what was not served since the last call */
  async served(): Promise<readonly string[]> {
    for (const last = this.rounds + 2; this.rounds < last && this.failures.length === 0; )
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.failures.splice(0);
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}
