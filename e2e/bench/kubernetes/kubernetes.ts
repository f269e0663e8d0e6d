import { PolicyView } from "../../kubernetes/policy-view.ts";
import { missingPeers } from "../../peers/peer-cache.ts";
import { startPilotDiscovery } from "../../peers/pilot-discovery.ts";
import { until } from "../../world/until.ts";
import type { Benchmark } from "../benchmark.ts";
import { processCost } from "../push/process-cost.ts";
import { median } from "../spread.ts";
import { short, table } from "../table.ts";
import { type ClusterSize, Ground, serviceName } from "./ground.ts";

interface Scale {
  readonly sizes: readonly ClusterSize[];
  /** Of one endpoint each, one after the other. */
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

interface Figures extends ClusterSize {
  /** From the start of the control plane's process until /ready says so. */
  readonly readySeconds: number;
  readonly readyCpuSeconds: number;
  /** When it was ready and a node had been told everything. */
  readonly rssMebibytes: number;
  /** The most of the whole run. */
  readonly peakRssMebibytes: number;
  /** From just before an endpoint's change is asked of the API server until a node has been told over xDS, in ms. */
  readonly changeMilliseconds: readonly number[];
}

export const kubernetesBenchmark: Benchmark = {
  name: "kubernetes",
  what: "from a real API server: how soon all is read and a change is told to a node, CPU and memory",
  missing: async () => {
    const reason = await missingPeers("istiod", "kube-apiserver", "kubectl", "etcd");
    return reason === undefined ? [] : [reason];
  },
  async run({ quick: isQuick, progress }) {
    const { sizes, changes } = isQuick ? quick : full;
    const figures: Figures[] = [];
    for (const size of sizes) {
      progress(`${size.services} services, ${size.podsPerService} pods each: objects are made`);
      const ground = await Ground.make(size);
      try {
        progress("the control plane reads them");
        figures.push(await measure(ground, size, changes));
      } finally {
        await ground.stop();
      }
    }
    return { figures: { clusters: figures }, text: textOf(figures) };
  },
};

const mebibyte = 1024 * 1024;

async function measure(ground: Ground, size: ClusterSize, changes: number): Promise<Figures> {
  const begin = performance.now();
  const pilot = await startPilotDiscovery({
    args: [`--kubeconfig=${ground.apiserver.kubeconfig}`],
    readyWithinMs: 600_000,
  });
  const readySeconds = (performance.now() - begin) / 1000;
  const pid = pilot.process.process.pid ?? 0;
  const { cpuSeconds: readyCpuSeconds } = await processCost(pid);
  const view = new PolicyView(`127.0.0.1:${pilot.ports.grpc}`);
  try {
    await until(() => view.services.length >= size.services, { what: "a node to be told all services" });
    const { rssBytes } = await processCost(pid);
    const changeMilliseconds: number[] = [];
    for (let i = 0; i < changes; i++) changeMilliseconds.push(await changeOne(ground, view, size, i));
    const { peakRssBytes } = await processCost(pid);
    return {
      ...size,
      readySeconds,
      readyCpuSeconds,
      rssMebibytes: rssBytes / mebibyte,
      peakRssMebibytes: peakRssBytes / mebibyte,
      changeMilliseconds,
    };
  } finally {
    await view.close();
    await pilot.stop();
  }
}

async function changeOne(
  ground: Ground,
  view: PolicyView,
  size: ClusterSize,
  change: number,
): Promise<number> {
  const index = Math.floor(change / 2) % size.services;
  const ready = change % 2 === 1;
  const wanted = size.podsPerService - (ready ? 0 : 1);
  const set = `outbound|9080||${serviceName(index)}.default.svc.cluster.local`;
  const begin = performance.now();
  await ground.change(index, ready);
  await until(() => view.endpoints(set).length === wanted, { what: "the change to be told", everyMs: 1 });
  return performance.now() - begin;
}

function textOf(figures: readonly Figures[]): string {
  const heading = [
    "services",
    "endpoints",
    "ready, s",
    "CPU, s",
    "RSS, MiB",
    "most, MiB",
    "change told, ms",
    "last",
  ];
  const rows = figures.map((found) => [
    short(found.services),
    short(found.services * found.podsPerService),
    short(found.readySeconds),
    short(found.readyCpuSeconds),
    short(found.rssMebibytes),
    short(found.peakRssMebibytes),
    short(median(found.changeMilliseconds)),
    short(Math.max(...found.changeMilliseconds)),
  ]);
  return `${table([heading, ...rows], 0).join("\n")}\n`;
}
