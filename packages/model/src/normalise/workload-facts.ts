import { qualifiedName } from "../config-object.ts";
import type { NodeObject, PodObject } from "../kinds/index.ts";
import { redirectionAnnotation, topologyLabels } from "../metadata-read.ts";
import type { Endpoint } from "../model.ts";

/** Pods with this label speak the mesh's mutual TLS if it says "istio"; the sidecar injector writes it. */
const tlsModeLabel = "security.istio.io/tlsMode";
/** "http" for a workload that ends tunnels itself. */
const tunnelLabel = "networking.istio.io/tunnel";
/** Locality of a pod, with "." in place of "/". */
const localityLabel = "istio-locality";

const hostnameLabel = "kubernetes.io/hostname";

/** A pod, and the node that it runs on as far as that is known. */
export interface PlacedPod {
  readonly pod: PodObject;
  readonly node: NodeObject | undefined;
}

export type WorkloadFacts = Pick<
  Endpoint,
  "workload" | "namespace" | "serviceAccount" | "locality" | "mutualTls" | "tunnel" | "labels"
>;

/** A pod's facts are asked for by each service that it stands behind. */
const known = new WeakMap<PlacedPod, WorkloadFacts>();

/** What is known of an endpoint from the pod behind it. */
export function podFacts(placed: PlacedPod): WorkloadFacts {
  const before = known.get(placed);
  if (before !== undefined) return before;
  const { pod, node } = placed;
  const { namespace, labels, annotations } = pod.metadata;
  const own = labelFacts(namespace, labels);
  const facts = {
    ...own,
    tunnel: own.tunnel || annotations[redirectionAnnotation] === "enabled",
    workload: qualifiedName(pod),
    serviceAccount: pod.body.spec.serviceAccountName,
    ...(node === undefined ? {} : placeFacts(node, own)),
  };
  known.set(placed, facts);
  return facts;
}

/** What is known of an endpoint from its labels alone. */
export function labelFacts(namespace: string, labels: Readonly<Record<string, string>> = {}): WorkloadFacts {
  return {
    workload: "",
    namespace,
    serviceAccount: "",
    locality: (labels[localityLabel] ?? "").replaceAll(".", "/"),
    mutualTls: labels[tlsModeLabel] === "istio",
    tunnel: labels[tunnelLabel] === "http",
    labels,
  };
}

/** What a pod says of its place wins over what its node says. Subsets may choose by place, so it is among the labels, too (Istio). */
function placeFacts(
  { metadata: { name, labels } }: NodeObject,
  own: WorkloadFacts,
): Pick<WorkloadFacts, "locality" | "labels"> {
  const ofNode = topologyLabels.map((names) => names.map((label) => labels[label]).find(Boolean) ?? "");
  // A zone without a region is still one: "/zone".
  const locality = own.locality === "" ? ofNode.join("/").replace(/\/+$/, "") : own.locality;
  const parts = locality.split("/");
  const place = topologyLabels.flatMap(([label], i) => (parts[i] ? [[label, parts[i]]] : []));
  return { locality, labels: { ...own.labels, ...Object.fromEntries(place), [hostnameLabel]: name } };
}
