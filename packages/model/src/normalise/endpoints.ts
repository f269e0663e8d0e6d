import { parseAddress } from "../address.ts";
import { type Problem, problemOf } from "../config-object.ts";
import type { EndpointSliceObject, PodObject, ServiceObject } from "../kinds/index.ts";
import { compareAddresses, type Endpoint } from "../model.ts";
import type { Normalised } from "./normalised.ts";

/** Finds the pod behind an endpoint. */
export interface PodLookup {
  byName(name: string): PodObject | undefined;
  byAddress(address: string): PodObject | undefined;
}

type SliceEndpoint = NonNullable<EndpointSliceObject["body"]["endpoints"]>[number];

/** The pod that an endpoint of a slice names, else the one that has its address. */
export function podOf(
  slice: EndpointSliceObject,
  endpoint: SliceEndpoint,
  pods: PodLookup,
): PodObject | undefined {
  const { targetRef } = endpoint;
  if (targetRef !== undefined && (targetRef.kind ?? "Pod") === "Pod") {
    return pods.byName(`${targetRef.namespace ?? slice.metadata.namespace}/${targetRef.name}`);
  }
  return pods.byAddress(endpoint.addresses[0] ?? "");
}

/** A missing condition counts as true (Kubernetes API reference, EndpointConditions); what terminates takes nothing new. */
function takesConnections(endpoint: SliceEndpoint, publishNotReady: boolean): boolean {
  const { ready, terminating } = endpoint.conditions ?? {};
  return terminating !== true && (publishNotReady || ready !== false);
}

/** Endpoints of all ports of a service, sorted; one address and port that stands in two slices counts once. */
export function normaliseEndpoints(
  service: ServiceObject,
  slices: readonly EndpointSliceObject[],
  pods: PodLookup,
): Normalised<readonly Endpoint[]> {
  const problems: Problem[] = [];
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.body.addressType === "FQDN") {
      problems.push(problemOf("warning", slice, ["addressType"], "FQDN slices are not read"));
      continue;
    }
    slice.body.endpoints?.forEach((endpoint, i) => {
      if (!takesConnections(endpoint, service.body.spec.publishNotReadyAddresses)) return;
      // Only the first address means something (API reference, Endpoint.addresses).
      const address = parseAddress(endpoint.addresses[0] ?? "");
      if (address === undefined) {
        const text = `"${endpoint.addresses[0] ?? ""}" is no IP address; the endpoint is left out`;
        problems.push(problemOf("error", slice, ["endpoints", i, "addresses"], text));
        return;
      }
      for (const made of endpointsOf(slice, endpoint, address, pods)) {
        const key = `${made.transport} ${made.portName} ${made.port} ${Buffer.from(address).toString("hex")}`;
        if (!found.has(key)) found.set(key, made);
      }
    });
  }
  const sorted = [...found.values()].sort(
    (a, b) => compareAddresses(a.address, b.address) || a.port - b.port,
  );
  return { value: sorted, problems };
}

function endpointsOf(
  slice: EndpointSliceObject,
  endpoint: SliceEndpoint,
  address: Uint8Array,
  pods: PodLookup,
): Endpoint[] {
  const pod = podOf(slice, endpoint, pods);
  const behind = workloadFacts(pod, slice.metadata.namespace);
  return (slice.body.ports ?? []).flatMap(({ name, port, protocol: transport }) =>
    transport === "SCTP" || port === null || port === undefined
      ? []
      : [{ address, hostname: "", port, portName: name ?? "", transport, weight: 1, ...behind }],
  );
}

/** Pods with this label speak the mesh's mutual TLS if it says "istio"; the sidecar injector writes it. */
const tlsModeLabel = "security.istio.io/tlsMode";
/** Locality of a pod, with "." in place of "/". */
const localityLabel = "istio-locality";

type WorkloadFacts = Pick<
  Endpoint,
  "workload" | "namespace" | "serviceAccount" | "locality" | "mutualTls" | "labels"
>;

/** What is known of an endpoint from the pod behind it. */
export function workloadFacts(pod: PodObject | undefined, namespace: string): WorkloadFacts {
  const labels = pod?.metadata.labels ?? {};
  return {
    workload: pod === undefined ? "" : `${pod.metadata.namespace}/${pod.metadata.name}`,
    namespace: pod?.metadata.namespace ?? namespace,
    serviceAccount: pod?.body.spec.serviceAccountName ?? "",
    locality: (labels[localityLabel] ?? "").replaceAll(".", "/"),
    mutualTls: labels[tlsModeLabel] === "istio",
    labels,
  };
}
