import { isIP } from "node:net";
import { canonicalAddress, parseAddress } from "../address.ts";
import { type Problem, problemOf, qualifiedName } from "../config-object.ts";
import type { EndpointSliceObject, ServiceObject, WorkloadEntryObject } from "../kinds/index.ts";
import { compareAddresses, type Endpoint } from "../model.ts";
import { sessionsOf } from "./draining.ts";
import type { Normalised } from "./normalised.ts";
import { entryEndpoints, entryFacts } from "./workload-entries.ts";
import { labelFacts, type PlacedPod, podFacts } from "./workload-facts.ts";
import { workloadOf } from "./workloads.ts";

/** Finds the pod behind an endpoint. */
export interface PodLookup {
  /** Whether the last update changed what a name ("namespace/name") or an address leads to. */
  hasChanged(nameOrAddress: string): boolean;
  byName(name: string): PlacedPod | undefined;
  byAddress(address: string): PlacedPod | undefined;
}

type SliceEndpoint = NonNullable<EndpointSliceObject["body"]["endpoints"]>[number];

/**
 * Of each endpoint of a slice, the pod that it names, as "namespace/name", else its address: asked for each slice,
 * whatever has changed.
 */
const references = new WeakMap<EndpointSliceObject, readonly string[]>();

function referencesOf(slice: EndpointSliceObject, pods: PodLookup): readonly string[] {
  const known = references.get(slice);
  if (known !== undefined) return known;
  const made = (slice.body.endpoints ?? []).map(({ targetRef, addresses }) => {
    if (targetRef === undefined || (targetRef.kind ?? "Pod") !== "Pod")
      return canonicalAddress(addresses[0] ?? "");
    const name = [targetRef.namespace ?? slice.metadata.namespace, targetRef.name].join("/");
    // The text that the pod is called by anyway: there are very many.
    const placed = pods.byName(name);
    return placed === undefined ? name : qualifiedName(placed.pod);
  });
  references.set(slice, made);
  return made;
}

/** No address has a "/". */
const isName = (reference: string): boolean => reference.includes("/");

/** Of each endpoint; "missing" is a pod that a slice names and that is not known, be it not yet or no more. */
const podsBehind = (slice: EndpointSliceObject, pods: PodLookup): (PlacedPod | "missing" | undefined)[] =>
  referencesOf(slice, pods).map((reference) =>
    isName(reference) ? (pods.byName(reference) ?? "missing") : pods.byAddress(reference),
  );

/** Whether a slice's endpoints may be other ones though the slice is the same. */
export const leadsElsewhere = (slice: EndpointSliceObject, pods: PodLookup): boolean =>
  referencesOf(slice, pods).some((reference) => pods.hasChanged(reference));

/**
 * A missing condition counts as true; what terminates takes nothing new, unless its service publishes what is not ready
 * and so has it called ready (Kubernetes API reference, EndpointConditions). It drains where callers stay with it, as
 * long as it serves.
 */
function stateOf(endpoint: SliceEndpoint, service: ServiceObject): "ready" | "draining" | "gone" {
  const publishNotReady = service.body.spec.publishNotReadyAddresses;
  const { ready, serving, terminating } = endpoint.conditions ?? {};
  if (terminating !== true) return publishNotReady || ready !== false ? "ready" : "gone";
  if (publishNotReady && ready === true) return "ready";
  return serving !== false && sessionsOf(service).keepsSessions === true ? "draining" : "gone";
}

/** Endpoints of all ports of a service, sorted; one address and port that stands in two slices counts once. */
export function normaliseEndpoints(
  service: ServiceObject,
  slices: readonly EndpointSliceObject[],
  pods: PodLookup,
  entries: readonly WorkloadEntryObject[] = [],
): Normalised<readonly Endpoint[]> {
  const problems: Problem[] = [];
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.body.addressType === "FQDN") {
      problems.push(problemOf("warning", slice, ["addressType"], "FQDN slices are not read"));
      continue;
    }
    const behind = podsBehind(slice, pods);
    slice.body.endpoints?.forEach((endpoint, i) => {
      const state = stateOf(endpoint, service);
      if (state === "gone") return;
      // Only the first address means something (API reference, Endpoint.addresses).
      const said = parseAddress(endpoint.addresses[0] ?? "");
      if (said === undefined) {
        const text = `"${endpoint.addresses[0] ?? ""}" is no IP address; the endpoint is left out`;
        problems.push(problemOf("error", slice, ["endpoints", i, "addresses"], text));
        return;
      }
      const pod = behind[i];
      // Without its pod nobody could tell its labels, its identity, or whether it takes TLS (as istiod).
      if (pod === "missing") return;
      const address = ofPod(said, pod);
      for (const ready of endpointsOf(slice, address, pod)) {
        const made: Endpoint = state === "draining" ? { ...ready, draining: true } : ready;
        const key = `${made.transport} ${made.portName} ${made.port} ${Buffer.from(address).toString("hex")}`;
        if (!found.has(key)) found.set(key, made);
      }
    });
  }
  const others = entries.flatMap((entry) => selectedEntry(service, entry, problems));
  return { value: sortEndpoints([...found.values(), ...others]), problems };
}

/** The pod has its address, too: both are kept as one. */
const ofPod = (address: Uint8Array, placed: PlacedPod | undefined): Uint8Array =>
  (placed && workloadOf(placed.pod))?.addresses.find((own) => compareAddresses(own, address) === 0) ??
  address;

/** Kubernetes knows nothing of WorkloadEntries; Istio adds those that a service's selector chooses. */
function selectedEntry(service: ServiceObject, entry: WorkloadEntryObject, problems: Problem[]): Endpoint[] {
  const { spec } = entry.body;
  // Kubernetes' services look up no names.
  if (spec.address !== undefined && isIP(spec.address) === 0) return [];
  const ports = service.body.spec.ports.flatMap(({ name, port, targetPort, protocol }) =>
    protocol === "SCTP"
      ? []
      : [{ name, transport: protocol, target: typeof targetPort === "number" ? targetPort : port }],
  );
  const made = entryEndpoints(spec, entryFacts(spec, entry.metadata.namespace, entry), ports);
  if (typeof made !== "string") return made;
  problems.push(problemOf("error", entry, ["spec", "address"], made));
  return [];
}

/** By address, then by hostname, then by port. */
export const sortEndpoints = (endpoints: readonly Endpoint[]): Endpoint[] =>
  endpoints.toSorted(
    (a, b) =>
      compareAddresses(a.address, b.address) ||
      (a.hostname < b.hostname ? -1 : a.hostname > b.hostname ? 1 : 0) ||
      a.port - b.port,
  );

function endpointsOf(
  slice: EndpointSliceObject,
  address: Uint8Array,
  pod: PlacedPod | undefined,
): Endpoint[] {
  const behind = pod === undefined ? labelFacts(slice.metadata.namespace) : podFacts(pod);
  return (slice.body.ports ?? []).flatMap(({ name, port, protocol: transport }) =>
    transport === "SCTP" || port === null || port === undefined
      ? []
      : [{ address, hostname: "", port, portName: name ?? "", transport, weight: 1, ...behind }],
  );
}
