// npm run e2e -- kubernetes [OBJECTS]: what goes wrong between a real API server and us, in full size. After each fault
// what we hold must be what the API server holds, object by object.
import { KubernetesSource, loadKubeConfig } from "@keelson/sources";
import { prepareForIstio } from "../peers/istio-objects.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { CuttableProxy } from "./cuttable-proxy.ts";
import { forEach } from "./for-each.ts";
import { KubeClient } from "./kube-client.ts";
import { paths, service, slice } from "./objects.ts";
import { untilSameAsServed } from "./same-as-served.ts";

const cutEveryMs = 1_000;

interface World {
  readonly apiserver: KubeApiserver;
  readonly proxy: CuttableProxy;
  readonly client: KubeClient;
  readonly source: KubernetesSource;
}

async function makeWorld(): Promise<World> {
  const apiserver = await startKubeApiserver();
  await prepareForIstio(apiserver);
  const proxy = await CuttableProxy.start(apiserver.port);
  const config = await loadKubeConfig(await apiserver.kubeconfigBy(proxy.port));
  const source = new KubernetesSource({ config, revision: "default" });
  await source.start();
  return { apiserver, proxy, client: await KubeClient.of(apiserver.kubeconfig), source };
}

/** Half of the objects are services, half their slices; every tenth service goes again at once. */
const burst = (client: KubeClient, prefix: string, objects: number): Promise<void> =>
  forEach(objects / 2, async (i) => {
    const name = `${prefix}-${i}`;
    await client.create(paths.services, service(name));
    await client.create(paths.slices, slice(name, {}));
    if (i % 10 === 0) await client.remove(`${paths.services}/${name}`);
  });

async function cutting<T>(proxy: CuttableProxy, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => proxy.cut(), cutEveryMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

const faults: Readonly<Record<string, (world: World, objects: number) => Promise<void>>> = {
  "a burst of objects": ({ client }, objects) => burst(client, "burst", objects),
  "a watch cut every second, under changes": ({ client, proxy }, objects) =>
    cutting(proxy, burst(client, "cut", objects / 5)),
  "a slow API server, under changes": async ({ client, proxy }, objects) => {
    proxy.slow(200);
    await burst(client, "slow", objects / 20);
    proxy.slow(0);
  },
  "an API server killed three times, with changes between": async ({ apiserver, client }, objects) => {
    for (let round = 0; round < 3; round++) {
      await apiserver.kill();
      await apiserver.restart();
      await burst(client, `kill-${round}`, objects / 50);
    }
  },
  "an etcd that is compacted while we are away": async ({ apiserver, client, proxy }, objects) => {
    proxy.shut();
    await burst(client, "away", objects / 20);
    const { text } = await client.get("/api/v1/services?limit=1");
    const { metadata } = JSON.parse(text) as { metadata: { resourceVersion: string } };
    await apiserver.etcd.compact(Number(metadata.resourceVersion));
    await apiserver.kill();
    await apiserver.restart();
    proxy.open();
  },
};

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function run(objects: number): Promise<void> {
  const missing = await missingPeers("etcd", "kube-apiserver", "kubectl", "istiod");
  if (missing !== undefined) throw new Error(missing);
  const world = await makeWorld();
  try {
    for (const [name, fault] of Object.entries(faults)) {
      const begin = performance.now();
      await fault(world, objects);
      const over = performance.now();
      await untilSameAsServed(world.source, world.apiserver.kubeconfig, world.client);
      const held = `${world.source.snapshot.objects.length} objects are the same`;
      process.stdout.write(`${name}: ${held}; took ${seconds(begin)}, the same ${seconds(over)} after it\n`);
    }
  } finally {
    await world.source.close();
    world.client.close();
    await world.proxy.close();
    await world.apiserver.stop();
  }
}

const objects = Number(process.argv[2] ?? 10_000);
if (!Number.isInteger(objects) || objects < 100) {
  process.stderr.write(
    `usage: npm run e2e -- kubernetes [OBJECTS], 100 or more; found "${process.argv[2]}"\n`,
  );
  process.exitCode = 2;
} else await run(objects);
