import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { podAddresses, serviceAddresses } from "../world/network.ts";
import {
  endpointSlices,
  type KubernetesObject,
  podObject,
  type ServiceRecord,
  serviceObject,
} from "../world/objects.ts";
import type { Pod, PodRecord } from "../world/pod.ts";
import type { World } from "../world/world.ts";
import { port, type Role } from "./roles.ts";

/** Where requests come from: a pod outside the application. */
export const visitor = "visitor";

/** Service → versions; there is one pod for each, named "<service>-<version>". */
const versions: Readonly<Record<Role, readonly string[]>> = {
  productpage: ["v1"],
  details: ["v1"],
  reviews: ["v1", "v2", "v3"],
  ratings: ["v1"],
};

const services = Object.keys(versions) as Role[];
const ports = [{ name: "http", port, targetPort: port }];

const wantedPods = [
  ...services.flatMap((app) =>
    versions[app].map((version) => ({ name: `${app}-${version}`, labels: { app, version } })),
  ),
  { name: visitor, labels: { app: visitor } },
];

/** Makes bookinfo's services and pods in a world, starts the servers, and returns the Kubernetes objects of it all. */
export async function startBookinfo(world: World): Promise<KubernetesObject[]> {
  const records: ServiceRecord[] = [];
  for (const service of services) records.push(await world.addService(service, ports));
  const pods = await world.addPods(...wantedPods);
  await Promise.all(pods.map(startServer));
  return objectsOf(records, pods);
}

async function startServer(pod: Pod): Promise<void> {
  const { app = "", version = "" } = pod.labels;
  if (app === visitor) return;
  await pod.startServer(process.execPath, join(import.meta.dirname, "server.ts"), app, pod.name, version);
}

/** The same objects without anything behind them. */
export function bookinfoObjects(node: string): KubernetesObject[] {
  const records = services.map((name, i): ServiceRecord => {
    const { ipv4, ipv6 } = serviceAddresses(i + 1);
    return { name, addresses: [ipv4, ipv6], ports };
  });
  const pods = wantedPods.map(
    (pod, i): PodRecord => ({ ...pod, uid: randomUUID(), node, ...podAddresses(i + 1) }),
  );
  return objectsOf(records, pods);
}

function objectsOf(records: readonly ServiceRecord[], pods: readonly PodRecord[]): KubernetesObject[] {
  const ofService = (service: ServiceRecord): KubernetesObject[] => [
    serviceObject(service),
    ...endpointSlices(
      service,
      pods.filter(({ labels }) => labels["app"] === service.name),
    ),
  ];
  return [...records.flatMap(ofService), ...pods.map((pod) => podObject(pod))];
}
