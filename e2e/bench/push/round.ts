import { median } from "../spread.ts";
import type { CrowdOptions } from "./clients/messages.ts";
import { Crowd } from "./crowd.ts";
import {
  changedAddress,
  clusterName,
  type MeshSize,
  namespacesOf,
  scopeSize,
  sharedService,
} from "./mesh.ts";
import { type ProcessCost, processCost } from "./process-cost.ts";
import type { Ground, Subject } from "./subjects.ts";

/** Who sees the service that changes: all clients, or those of its namespace. */
export type Reach = "all" | "namespace";

/** One change of one endpoint, as clients saw it. */
export interface ChangeTimes {
  readonly reach: Reach;
  readonly clients: number;
  /** ms from just before the change until a client in the middle, and the last one, had acked it. */
  readonly median: number;
  readonly last: number;
}

/** One control plane, from its start to its end. */
export interface Round {
  readonly bringUpMilliseconds: number;
  readonly bringUpCpuSeconds: number;
  readonly receivedBytes: number;
  /** When all clients had everything. */
  readonly rssBytes: number;
  readonly changes: readonly ChangeTimes[];
  readonly changesMilliseconds: number;
  readonly changesCpuSeconds: number;
  /** The most of the whole round. */
  readonly peakRssBytes: number;
}

/** Makes the changes of a round. @param change makes one of a service, and resolves when all have acked it */
export type Changer = (change: (service: number) => Promise<ChangeTimes>) => Promise<ChangeTimes[]>;

export interface RoundOptions {
  readonly size: MeshSize;
  readonly clients: number;
  readonly variant: CrowdOptions["variant"];
  readonly environment: Readonly<Record<string, string>>;
  readonly changer: Changer;
}

/** Clients on their way at once. */
const atOnce = 100;

let changes = 0;

/** Starts a control plane, brings clients up on it, and changes endpoints. */
export async function measureRound(ground: Ground, options: RoundOptions): Promise<Round> {
  const subject = await ground.start(options.environment);
  try {
    return await withSubject(ground, subject, options);
  } finally {
    await subject.stop();
  }
}

async function withSubject(ground: Ground, { port, pid }: Subject, options: RoundOptions): Promise<Round> {
  const { size, clients, variant, changer } = options;
  const before = await processCost(pid);
  const crowd = new Crowd({ port, variant, clients, namespaces: namespacesOf(size), atOnce });
  try {
    const { milliseconds, receivedBytes, clusters } = await crowd.up;
    if (clusters !== clients * scopeSize)
      throw new Error(`${clients} clients have ${clusters} clusters, not ${scopeSize} each`);
    const up = await processCost(pid);
    const begin = performance.now();
    const times = await changer(async (service) => {
      const change = changes++;
      const expected = { change, cluster: clusterName(service), address: changedAddress(change) };
      return timesOf(service, await crowd.change(expected, () => ground.change(service, change)));
    });
    const after = await processCost(pid);
    return {
      bringUpMilliseconds: milliseconds,
      bringUpCpuSeconds: cpuBetween(before, up),
      receivedBytes,
      rssBytes: up.rssBytes,
      changes: times,
      changesMilliseconds: performance.now() - begin,
      changesCpuSeconds: cpuBetween(up, after),
      peakRssBytes: after.peakRssBytes,
    };
  } finally {
    await crowd.stop();
  }
}

const cpuBetween = (before: ProcessCost, after: ProcessCost): number => after.cpuSeconds - before.cpuSeconds;

function timesOf(service: number, acked: readonly number[]): ChangeTimes {
  return {
    reach: service === sharedService ? "all" : "namespace",
    clients: acked.length,
    median: median(acked),
    last: acked.at(-1) ?? Number.NaN,
  };
}
