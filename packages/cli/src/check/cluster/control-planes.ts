import { error, type Finding, ok, warning } from "@keelson/bpf-applier/finding";
import { ApiError } from "@keelson/sources";
import { z } from "zod";
import type { Cluster } from "./cluster.ts";

const objectMetadata = z.object({
  name: z.string(),
  namespace: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
});
const podSpec = z.object({ containers: z.array(z.object({ image: z.string() })) });

const podObject = z.object({
  metadata: objectMetadata,
  spec: podSpec,
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() })
    .optional(),
});
export type PodFacts = z.output<typeof podObject>;

/** Pods of istiod, of Pilot before it, and of Keelson, which has istiod's labels. */
export async function controlPlanePods(cluster: Cluster): Promise<readonly PodFacts[]> {
  const lists = await Promise.all(
    ["app=istiod", "istio=pilot"].map((selector) =>
      cluster.list(`/api/v1/pods?labelSelector=${encodeURIComponent(selector)}`, podObject),
    ),
  );
  // Keelson's own have both labels.
  const byName = new Map(lists.flat().map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
  return [...byName.values()];
}

const deploymentObject = z.object({
  metadata: objectMetadata,
  spec: z.object({ replicas: z.number().optional(), template: z.object({ spec: podSpec }) }),
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .optional(),
    })
    .optional(),
});
export type DeploymentFacts = z.output<typeof deploymentObject>;

/** Deployments of Keelson's control plane in a namespace; none for an account that may not look at them. */
export async function ownDeployments(
  cluster: Cluster,
  namespace: string,
): Promise<readonly DeploymentFacts[]> {
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments?labelSelector=app%3Distiod`;
  const all = await cluster.list(path, deploymentObject).catch((cause: unknown) => {
    if (cause instanceof ApiError && cause.status === 403) return [];
    throw cause;
  });
  return all.filter(({ metadata, spec }) => isKeelson({ metadata, spec: spec.template.spec }));
}

const isReady = ({ status }: PodFacts): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;

/** The chart labels its pods so; with istiod's chart and our image only the image tells. */
const isKeelson = ({ metadata, spec }: Pick<PodFacts, "metadata" | "spec">): boolean =>
  metadata.labels?.["app.kubernetes.io/part-of"] === "keelson" ||
  spec.containers.some(({ image }) => /keelson/i.test(image));

/** "istio-system/istiod-1 (registry/pilot:1.30.3, ready)". */
function described(pod: PodFacts): string {
  const { name, namespace } = pod.metadata;
  const image = pod.spec.containers[0]?.image ?? "no container";
  return `${namespace}/${name} (${image}, ${isReady(pod) ? "ready" : "not ready"})`;
}

/** Before an installation: whose place it would take. */
export function judgeBefore(pods: readonly PodFacts[], namespace: string): Finding {
  const check = "control planes";
  if (pods.length === 0) return ok(check, "none yet");
  const found = pods.map(described).join(", ");
  const inTheWay = pods.some((pod) => !isKeelson(pod) && pod.metadata.namespace === namespace);
  if (!inTheWay) return ok(check, found);
  return warning(
    check,
    found,
    `it has the names that the chart uses in ${namespace}: give the chart a revision to stand beside it, or change only the ` +
      "image to take its place (docs/install.md)",
  );
}

/**
 * After an installation: ours is there, and ready.
 * @param deployments of ours
 */
export function judgeAfter(
  pods: readonly PodFacts[],
  deployments: readonly DeploymentFacts[],
  namespace: string,
): Finding[] {
  const check = "control plane";
  const ours = pods.filter((pod) => isKeelson(pod) && pod.metadata.namespace === namespace);
  const others = pods.filter((pod) => !ours.includes(pod));
  const unready = ours.filter((pod) => !isReady(pod));
  const beside = others.length === 0 ? [] : [ok("other control planes", others.map(described).join(", "))];
  if (ours.length === 0) return [judgeWithoutPods(deployments, namespace), ...beside];
  if (unready.length > 0) {
    const advice = `kubectl -n ${namespace} logs says why, as does its /ready`;
    return [error(check, unready.map(described).join(", "), advice), ...beside];
  }
  return [ok(check, ours.map(described).join(", ")), ...beside];
}

function judgeWithoutPods(deployments: readonly DeploymentFacts[], namespace: string): Finding {
  const check = "control plane";
  const [deployment] = deployments;
  if (deployment === undefined)
    return error(
      check,
      `no pod of Keelson in ${namespace}`,
      "install it, or name its namespace with --namespace",
    );
  const { spec, status } = deployment;
  const failure = status?.conditions?.find(
    ({ type, status: value }) => type === "ReplicaFailure" && value === "True",
  );
  const why = spec.replicas === 0 ? "it is scaled to 0" : failure?.message;
  return error(
    check,
    `Deployment ${namespace}/${deployment.metadata.name} has no pod${why === undefined ? "" : `: ${why}`}`,
    `kubectl -n ${namespace} describe deployment,replicaset ${deployment.metadata.name} says more`,
  );
}

const lockObject = z.object({
  metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
});
const lockRecord = z.object({
  holderIdentity: z.string(),
  renewTime: z.string(),
  leaseDurationSeconds: z.number(),
});

/** Who holds the locks by which one of several control planes writes (client-go, leader election in ConfigMaps). */
export async function locksFinding(cluster: Cluster, namespace: string, now: Date): Promise<Finding> {
  const maps = await cluster.list(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`,
    lockObject,
  );
  return judgeLocks(maps, now);
}

export function judgeLocks(maps: readonly z.output<typeof lockObject>[], now: Date): Finding {
  const held = maps.flatMap(({ metadata: { name, annotations } }) => {
    const text = annotations?.["control-plane.alpha.kubernetes.io/leader"];
    const record = text === undefined ? undefined : recordOf(text);
    if (record === undefined || record.holderIdentity === "") return [];
    const ageSeconds = (now.getTime() - Date.parse(record.renewTime)) / 1000;
    return ageSeconds > record.leaseDurationSeconds ? [] : [`${name} by ${record.holderIdentity}`];
  });
  return ok("locks", held.length === 0 ? "none is held" : held.join(", "));
}

function recordOf(text: string): z.output<typeof lockRecord> | undefined {
  try {
    return lockRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
