import type { PodObject } from "../kinds/index.ts";
import type { Endpoint } from "../model.ts";

/** Pods with this label speak the mesh's mutual TLS if it says "istio"; the sidecar injector writes it. */
const tlsModeLabel = "security.istio.io/tlsMode";
/** Locality of a pod, with "." in place of "/". */
const localityLabel = "istio-locality";

export type WorkloadFacts = Pick<
  Endpoint,
  "workload" | "namespace" | "serviceAccount" | "locality" | "mutualTls" | "labels"
>;

/** What is known of an endpoint from the pod behind it, or from its labels alone. */
export function workloadFacts(
  pod: PodObject | undefined,
  namespace: string,
  labels: Readonly<Record<string, string>> = pod?.metadata.labels ?? {},
): WorkloadFacts {
  return {
    workload: pod === undefined ? "" : `${pod.metadata.namespace}/${pod.metadata.name}`,
    namespace: pod?.metadata.namespace ?? namespace,
    serviceAccount: pod?.body.spec.serviceAccountName ?? "",
    locality: (labels[localityLabel] ?? "").replaceAll(".", "/"),
    mutualTls: labels[tlsModeLabel] === "istio",
    labels,
  };
}
