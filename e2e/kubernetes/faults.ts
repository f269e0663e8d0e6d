import type { KubernetesSource } from "@keelson/sources";
import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import type { CuttableProxy } from "./cuttable-proxy.ts";
import { forEach } from "./for-each.ts";
import type { KubeClient } from "./kube-client.ts";
import { paths, service, slice } from "./objects.ts";

/** An API server, and what reads it through a proxy that can be cut. */
export interface FaultWorld {
  readonly apiserver: KubeApiserver;
  readonly proxy: CuttableProxy;
  readonly client: KubeClient;
  readonly source: KubernetesSource;
}

const cutEveryMs = 1_000;

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

/** By what goes wrong. @param objects how many are made where there is nothing else to wait for */
export const faults: Readonly<Record<string, (world: FaultWorld, objects: number) => Promise<void>>> = {
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
