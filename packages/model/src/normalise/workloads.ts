import { parseAddress } from "../address.ts";
import { qualifiedName } from "../config-object.ts";
import type { PodObject } from "../kinds/index.ts";
import { dataplaneModeLabel, mirrorAnnotation, sidecarAnnotation } from "../metadata-read.ts";
import type { LeftAlone, Workload } from "../model.ts";

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

/** @returns undefined for pods that are done, or that run nowhere yet. */
export function workloadOf(pod: PodObject): Workload | undefined {
  const workload = known.get(pod) ?? normaliseWorkload(pod) ?? "none";
  known.set(pod, workload);
  return workload === "none" ? undefined : workload;
}

/** Makes a pod's workload one that says the same, so that it is kept once. */
export function rememberWorkload(pod: PodObject, workload: Workload): void {
  known.set(pod, workload);
}

/** Of pods whose namespaces opted out. */
const knownInOptedOut = new WeakMap<Workload, Workload>();

/** As {@link workloadOf}, for a pod of a namespace that opted out: the pod's own label goes first. */
export function workloadInOptedOut(pod: PodObject): Workload | undefined {
  const workload = workloadOf(pod);
  if (workload === undefined || workload.leftAlone !== undefined) return workload;
  if (workload.labels[dataplaneModeLabel] !== undefined) return workload;
  const made = knownInOptedOut.get(workload) ?? { ...workload, leftAlone: "namespace opted out" };
  knownInOptedOut.set(workload, made);
  return made;
}

function normaliseWorkload(object: PodObject): Workload | undefined {
  const { spec } = object.body;
  if (isDone(object) || spec.nodeName === "") return undefined;
  const { namespace, uid, labels, annotations } = object.metadata;
  const leftAlone = whyLeftAlone(object);
  return {
    name: qualifiedName(object),
    namespace,
    addresses: ownAddresses(object),
    node: spec.nodeName,
    serviceAccount: spec.serviceAccountName,
    uid: annotations[mirrorAnnotation] ?? uid,
    labels,
    probePorts: probePorts(object),
    ...(leftAlone === undefined ? {} : { leftAlone }),
  };
}

function whyLeftAlone({
  metadata: { labels, annotations },
  body: { spec },
}: PodObject): LeftAlone | undefined {
  if (spec.hostNetwork) return "host network";
  if (labels[dataplaneModeLabel] === "none") return "opted out";
  return annotations[sidecarAnnotation] === undefined ? undefined : "sidecar";
}

/** Those of its node are not the pod's own. */
function ownAddresses(object: PodObject): Uint8Array[] {
  if (object.body.spec.hostNetwork) return [];
  const addresses = podAddresses(object)
    .map(parseAddress)
    .filter((address) => address !== undefined);
  // A list that has grown keeps room for more; there are very many of these.
  return addresses.slice();
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
