import { parseAddress } from "../address.ts";
import { qualifiedName } from "../config-object.ts";
import type { PodObject } from "../kinds/index.ts";
import type { Workload } from "../model.ts";

/** IP addresses of a pod, as text. */
export function podAddresses({ body: { status } }: PodObject): string[] {
  const all = status.podIPs?.map(({ ip }) => ip) ?? [];
  return all.length > 0 || status.podIP === undefined ? all : [status.podIP];
}

/** Whether all that ran in the pod has ended; its address is free for others then. */
export function isDone({ body: { status } }: PodObject): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}

/** Whether a pod takes connections; one whose conditions are not told does if it runs. */
export function isReady(pod: PodObject): boolean {
  const { conditions, phase } = pod.body.status;
  const ready = conditions?.find(({ type }) => type === "Ready");
  if (ready !== undefined) return ready.status === "True";
  return phase === undefined || phase === "Running";
}

/** Pods are many and change one by one. */
const known = new WeakMap<PodObject, Workload | "none">();

/** @returns undefined for pods that are done, that run nowhere yet, or that share their node's network. */
export function workloadOf(pod: PodObject): Workload | undefined {
  const workload = known.get(pod) ?? normaliseWorkload(pod) ?? "none";
  known.set(pod, workload);
  return workload === "none" ? undefined : workload;
}

function normaliseWorkload(object: PodObject): Workload | undefined {
  const { spec } = object.body;
  if (isDone(object) || spec.nodeName === "" || spec.hostNetwork) return undefined;
  const { namespace, uid, labels } = object.metadata;
  return {
    name: qualifiedName(object),
    namespace,
    // A list that has grown keeps room for more; there are very many of these.
    addresses: podAddresses(object)
      .map(parseAddress)
      .filter((address) => address !== undefined)
      .slice(),
    node: spec.nodeName,
    serviceAccount: spec.serviceAccountName,
    uid,
    labels,
    probePorts: probePorts(object),
  };
}

const noPorts: readonly number[] = [];

/** Of liveness and readiness probes; a probe's port may be one of its container's by name. */
function probePorts({ body: { spec } }: PodObject): readonly number[] {
  const ports = spec.containers.flatMap(({ livenessProbe, readinessProbe, ports: named }) =>
    [livenessProbe, readinessProbe].flatMap((probe) => {
      const port = (probe?.httpGet ?? probe?.tcpSocket)?.port;
      if (typeof port !== "string") return port ?? [];
      return named?.find(({ name }) => name === port)?.containerPort ?? [];
    }),
  );
  return ports.length === 0 ? noPorts : [...new Set(ports)].sort((a, b) => a - b);
}
