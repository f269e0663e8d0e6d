import { setTimeout as sleep } from "node:timers/promises";
import { type MeshSize, namespacesOf, scopeSize, sharedService } from "./mesh.ts";
import type { Changer, ChangeTimes } from "./round.ts";

/** Longest pause between two changes in ms: neither timers nor reports shall fall in step with them. */
const longestPauseMs = 50;

/** A service of some namespace, another one each time, that the sidecars of this namespace see alone. */
function ownService(size: MeshSize, index: number): number {
  const namespace = index % namespacesOf(size);
  const service = namespace * scopeSize + 1 + (Math.floor(index / namespacesOf(size)) % (scopeSize - 1));
  if (service >= size.services) throw new RangeError(`there is no service ${service} of ${size.services}`);
  return service;
}

/** Changes the service that all see and one that a namespace sees in turns, `each` times, one after the other. */
export const oneByOne =
  (size: MeshSize, clients: number, each: number): Changer =>
  async (change) => {
    const times: ChangeTimes[] = [];
    for (let i = 0; i < each; i++) {
      for (const service of [sharedService, ownService(size, i % clients)]) {
        times.push(await change(service));
        await sleep(Math.random() * longestPauseMs);
      }
    }
    return times;
  };

/**
 * One change after the other at an even pace, whether the ones before are acked or not.
 * @param sharedEvery each so many of them are of the service that all see
 */
export const evenly =
  (
    size: MeshSize,
    clients: number,
    pace: { changes: number; milliseconds: number; sharedEvery: number },
  ): Changer =>
  async (change) => {
    const times: Promise<ChangeTimes>[] = [];
    const begin = performance.now();
    for (let i = 0; i < pace.changes; i++) {
      const due = begin + (i * pace.milliseconds) / pace.changes;
      await sleep(Math.max(0, due - performance.now()));
      const shared = i % pace.sharedEvery === 0;
      const time = change(shared ? sharedService : ownService(size, i % clients));
      // It may fail while others are waited for; all are looked at in the end.
      time.catch(() => undefined);
      times.push(time);
    }
    return Promise.all(times);
  };
