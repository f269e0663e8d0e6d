import { podAddresses, serviceAddresses } from "../../world/network.ts";
import {
  endpointSlices,
  type KubernetesObject,
  podObject,
  type ServiceRecord,
  serviceObject,
} from "../../world/objects.ts";
import type { PodRecord } from "../../world/pod.ts";

/** Above the addresses that a world gives to pods and services of its own. */
const firstIndex = 1_000;

/** Pods of each service; their labels "version" are v1, v2 and so on. */
const versions = ["v1", "v2"] as const;

/** One service as a user would bring it: itself, its pods on some other node, and a slice for each address family. */
export interface MadeService {
  readonly record: ServiceRecord;
  readonly pods: readonly PodRecord[];
}

/**
 * The `index`th of many services that look alike, with one TCP port and two pods.
 * @param node the pods' node
 */
export function madeService(index: number, node: string): MadeService {
  const name = `service-${index}`;
  const { ipv4, ipv6 } = serviceAddresses(firstIndex + index);
  const pods = versions.map((version, i) => ({
    name: `${name}-${version}`,
    // As long as a real one, but the same in every run.
    uid: `00000000-0000-4000-8000-${String(index * versions.length + i).padStart(12, "0")}`,
    labels: { app: name, version },
    node,
    ...podAddresses(firstIndex + index * versions.length + i),
  }));
  return {
    record: { name, addresses: [ipv4, ipv6], ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    pods,
  };
}

/** All objects of a service; its slices name only the first `endpoints` of its pods. */
export function serviceObjects({ record, pods }: MadeService, endpoints = pods.length): KubernetesObject[] {
  return [
    serviceObject(record),
    ...endpointSlices(record, pods.slice(0, endpoints)),
    ...pods.map((pod) => podObject(pod)),
  ];
}
