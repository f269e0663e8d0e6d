import { PinFolder } from "@keelson/bpf-applier";
import { heldEndpoints } from "../../world/held-endpoints.ts";
import { until } from "../../world/until.ts";
import type { World } from "../../world/world.ts";
import type { ClusterSize, Ground } from "./ground.ts";

/** How long changes of one endpoint each took, in ms. */
export interface ChangeTimes {
  /** From just before a request to the API server until a node's maps hold the change. */
  readonly byRequestMilliseconds: readonly number[];
  /** The same from just before kubectl is started for the change. */
  readonly byKubectlMilliseconds: readonly number[];
  /** How long kubectl itself ran: it asks for other things before the request that counts, and ends some time after it. */
  readonly kubectlMilliseconds: readonly number[];
}

interface Turn {
  /** Of the service. */
  readonly index: number;
  /** Whether its last pod is to take connections. */
  readonly ready: boolean;
}

/** Of a node whose maps hold all that the control plane has. */
export async function measureChanges(
  world: World,
  ground: Ground,
  size: ClusterSize,
  changes: number,
): Promise<ChangeTimes> {
  const pins = await PinFolder.find(world.applier().node);
  const turns = Array.from(
    { length: changes },
    (_, change): Turn => ({
      index: Math.floor(change / 2) % size.services,
      ready: change % 2 === 1,
    }),
  );
  const measured = async (change: (turn: Turn) => Promise<void>) => {
    const times: ChangeTime[] = [];
    for (const turn of turns) {
      const address = await ground.clusterAddress(turn.index);
      const wanted = size.podsPerService - (turn.ready ? 0 : 1);
      const holds = (): boolean => heldEndpoints(pins, address, 9080)?.length === wanted;
      times.push(await timeOf(() => change(turn), holds, `${wanted} endpoints of ${address}`));
    }
    return times;
  };
  const byRequest = await measured(({ index, ready }) => ground.changeByRequest(index, ready));
  const byKubectl = await measured(({ index, ready }) => ground.changeByKubectl(index, ready));
  return {
    byRequestMilliseconds: byRequest.map(({ held }) => held),
    byKubectlMilliseconds: byKubectl.map(({ held }) => held),
    kubectlMilliseconds: byKubectl.map(({ asked }) => asked),
  };
}

/** In ms from the begin. */
interface ChangeTime {
  /** When who asked for the change was done. */
  readonly asked: number;
  /** When the maps held it. */
  readonly held: number;
}

async function timeOf(ask: () => Promise<void>, holds: () => boolean, what: string): Promise<ChangeTime> {
  const begin = performance.now();
  const passed = (): number => performance.now() - begin;
  const [asked, held] = await Promise.all([
    ask().then(passed),
    until(holds, { what: `the maps to hold ${what}`, everyMs: 1 }).then(passed),
  ]);
  return { asked, held };
}
