import { missingPeers } from "../../peers/peer-cache.ts";
import { startPilotDiscovery } from "../../peers/pilot-discovery.ts";
import { missingForKernel } from "../../world/requirements.ts";
import { World } from "../../world/world.ts";
import type { Benchmark } from "../benchmark.ts";
import { processCost } from "../push/process-cost.ts";
import { median } from "../spread.ts";
import { short, table } from "../table.ts";
import { type ChangeTimes, measureChanges } from "./changes.ts";
import { type ClusterSize, Ground } from "./ground.ts";

interface Scale {
  readonly sizes: readonly ClusterSize[];
  /** Of one endpoint each, one after the other: so many by requests, then so many by kubectl. */
  readonly changes: number;
}

const full: Scale = {
  sizes: [
    { services: 1_000, podsPerService: 15 },
    { services: 10_000, podsPerService: 15 },
  ],
  changes: 20,
};

const quick: Scale = { sizes: [{ services: 40, podsPerService: 3 }], changes: 4 };

interface Figures extends ClusterSize, ChangeTimes {
  /** From the start of the control plane's process until /ready says so. */
  readonly readySeconds: number;
  readonly readyCpuSeconds: number;
  /** When it was ready and a node's maps held everything. */
  readonly rssMebibytes: number;
  /** The most of the whole run. */
  readonly peakRssMebibytes: number;
}

export const kubernetesBenchmark: Benchmark = {
  name: "kubernetes",
  what: "from a real API server: how soon all is read and a change is in a node's maps, CPU and memory",
  missing: async () => {
    const reason = await missingPeers("istiod", "kube-apiserver", "kubectl", "etcd");
    return [...(reason === undefined ? [] : [reason]), ...(await missingForKernel())];
  },
  async run({ quick: isQuick, world: worldName, progress }) {
    const { sizes, changes } = isQuick ? quick : full;
    const figures: Figures[] = [];
    for (const size of sizes) {
      await using world = await World.open(worldName);
      progress(`${size.services} services, ${size.podsPerService} pods each: objects are made`);
      const ground = await Ground.make(size, world.names.node(1));
      try {
        progress("the control plane reads them");
        figures.push(await measure(world, ground, size, changes));
      } finally {
        await ground.stop();
      }
    }
    return { figures: { clusters: figures }, text: textOf(figures) };
  },
};

const mebibyte = 1024 * 1024;

async function measure(world: World, ground: Ground, size: ClusterSize, changes: number): Promise<Figures> {
  const { grpcPort, httpPort } = world.controlPlane.place;
  const begin = performance.now();
  const pilot = await startPilotDiscovery({
    args: [`--kubeconfig=${ground.apiserver.kubeconfig}`],
    readyWithinMs: 600_000,
    ports: { grpc: grpcPort, http: httpPort },
  });
  const readySeconds = (performance.now() - begin) / 1000;
  const pid = pilot.process.process.pid ?? 0;
  try {
    const { cpuSeconds: readyCpuSeconds } = await processCost(pid);
    await world.startApplier();
    await world.settled();
    const { rssBytes } = await processCost(pid);
    const times = await measureChanges(world, ground, size, changes);
    const { peakRssBytes } = await processCost(pid);
    return {
      ...size,
      readySeconds,
      readyCpuSeconds,
      rssMebibytes: rssBytes / mebibyte,
      peakRssMebibytes: peakRssBytes / mebibyte,
      ...times,
    };
  } finally {
    await pilot.stop();
  }
}

function textOf(figures: readonly Figures[]): string {
  const sizes = figures.map((found) => [
    short(found.services),
    short(found.services * found.podsPerService),
    short(found.readySeconds),
    short(found.readyCpuSeconds),
    short(found.rssMebibytes),
    short(found.peakRssMebibytes),
  ]);
  const changes = figures.map((found) => [
    short(found.services),
    ...[found.byRequestMilliseconds, found.byKubectlMilliseconds, found.kubectlMilliseconds].flatMap(
      (times) => [short(median(times)), short(Math.max(...times))],
    ),
  ]);
  const tables = [
    [["services", "endpoints", "ready, s", "CPU, s", "RSS, MiB", "most, MiB"], ...sizes],
    [
      ["services", "by a request, ms", "last", "by kubectl, ms", "last", "kubectl alone, ms", "last"],
      ...changes,
    ],
  ];
  const [read, changed] = tables.map((rows) => table(rows, 0).join("\n"));
  return `${read}\n\na change of an endpoint, until a node's maps hold it: median, and the longest\n${changed}\n`;
}
