import { startKubeApiserver } from "../../peers/kube-apiserver.ts";
import { missingPeers } from "../../peers/peer-cache.ts";
import type { Benchmark, BenchmarkOptions } from "../benchmark.ts";
import { evenly, oneByOne } from "./changers.ts";
import type { CrowdOptions } from "./clients/messages.ts";
import { type MeshSize } from "./mesh.ts";
import { type LargeFigures, type PushFigures, reportText, type SideBySide } from "./report.ts";
import { measureRound, type Round } from "./round.ts";
import { filesGround, sharedGround } from "./subjects.ts";

/** How much is measured. */
interface Scale {
  readonly shared: {
    readonly size: MeshSize;
    readonly clients: readonly number[];
    readonly rounds: number;
    /** Changes in each round, of each reach. */
    readonly changes: number;
  };
  readonly large: {
    readonly size: MeshSize;
    readonly clients: readonly number[];
    /** One endpoint each, evenly over the time. */
    readonly changes: number;
    readonly milliseconds: number;
  };
}

const full: Scale = {
  shared: {
    size: { services: 1_000, endpointsPerService: 15 },
    clients: [100, 500, 1_000],
    rounds: 3,
    changes: 10,
  },
  large: {
    size: { services: 10_000, endpointsPerService: 15 },
    clients: [1_000, 5_000],
    changes: 1_500,
    milliseconds: 60_000,
  },
};

const quick: Scale = {
  shared: { size: { services: 100, endpointsPerService: 3 }, clients: [4], rounds: 1, changes: 2 },
  large: {
    size: { services: 200, endpointsPerService: 3 },
    clients: [8],
    changes: 10,
    milliseconds: 1_000,
  },
};

const variants: readonly CrowdOptions["variant"][] = ["delta", "sotw"];

/** Of all control planes: clients do not wait for a turn, and changes of endpoints for no pause. */
const withoutWaiting = { PILOT_MAX_REQUESTS_PER_SECOND: "100000", PILOT_ENABLE_EDS_DEBOUNCE: "false" };

export const pushBenchmark: Benchmark = {
  name: "push",
  what: "xDS to simulated sidecars: how soon they have all and a change, CPU and memory, beside a real istiod",
  missing: async () => {
    const reason = await missingPeers("istiod", "kube-apiserver", "kubectl", "etcd");
    return reason === undefined ? [] : [reason];
  },
  async run(options) {
    const scale = options.quick ? quick : full;
    const sideBySide = await measureSideBySide(options, scale.shared);
    const large = await measureLarge(options, scale.large);
    const figures: PushFigures = { environment: withoutWaiting, sideBySide, large };
    return { figures: { ...figures }, text: reportText(figures) };
  },
};

async function measureSideBySide(
  { progress }: BenchmarkOptions,
  { size, clients, rounds, changes }: Scale["shared"],
): Promise<SideBySide[]> {
  progress(`${size.services} services: objects of an API server`);
  const apiserver = await startKubeApiserver();
  try {
    const ground = await sharedGround(apiserver, size);
    const found: SideBySide[] = [];
    for (const count of clients) {
      for (const variant of variants) {
        const changer = oneByOne(size, count, changes);
        const options = { size, clients: count, variant, environment: withoutWaiting, changer };
        const measured: { keelson: Round[]; istiod: Round[] } = { keelson: [], istiod: [] };
        for (let round = 1; round <= rounds; round++) {
          progress(`${size.services} services, ${count} clients, ${variant}: round ${round} of ${rounds}`);
          // Neither is always the first.
          const inTurn =
            round % 2 === 1 ? (["keelson", "istiod"] as const) : (["istiod", "keelson"] as const);
          for (const name of inTurn) measured[name].push(await measureRound(ground[name], options));
        }
        found.push({ ...size, clients: count, variant, ...measured });
      }
    }
    return found;
  } finally {
    await apiserver.stop();
  }
}

async function measureLarge(
  { progress }: BenchmarkOptions,
  { size, clients, changes, milliseconds }: Scale["large"],
): Promise<LargeFigures[]> {
  progress(`${size.services} services: files`);
  const ground = await filesGround(size);
  const found: LargeFigures[] = [];
  // One a second is of the service that all see.
  const pace = { changes, milliseconds, sharedEvery: Math.round(changes / (milliseconds / 1000)) };
  for (const count of clients) {
    for (const variant of variants) {
      progress(`${size.services} services, ${count} clients, ${variant}: ${changes} changes`);
      const changer = evenly(size, count, pace);
      const options = { size, clients: count, variant, environment: withoutWaiting, changer };
      found.push({ ...size, clients: count, variant, round: await measureRound(ground, options) });
    }
  }
  return found;
}
