import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { formatLabels, type Resource } from "@keelson/protos";
import { ApplicationProtocol, type EndpointSet, type ServicePort } from "@keelson/protos/policy";
import type { HostPolicy, Subset } from "@keelson/protos/traffic-policy";
import type { Context } from "../context.ts";
import { findSubset } from "../destination.ts";
import type { EndpointSource } from "../endpoint/assignments.ts";
import { localityPlan } from "../endpoint/locality-plan.ts";
import { outboundClusterName, serverNameOf } from "../names.ts";
import type { ScopedService } from "../scope/scoped-service.ts";
import { dataKey } from "../state/interner.ts";
import { policyFor } from "../traffic-policy.ts";
import type { ProxyTraits } from "../traits.ts";
import { resourceOf } from "../wire.ts";
import { holdsEndpoints, type OutboundInputs, outboundCluster } from "./outbound-cluster.ts";

/** A cluster and, if it is not told them itself, where its endpoints are found. */
export interface ClusterEntry {
  readonly resource: Resource;
  readonly hostname: string;
  /** Undefined where the cluster has no endpoints of its own to be told. */
  readonly endpoints: EndpointSource | undefined;
}

/** A part of a service's endpoints that has a cluster of its own. */
export interface Part {
  /** Third field of the cluster's name. */
  readonly key: string;
  /** Third field of the endpoint set's name. */
  readonly labels: string;
  readonly subset: Subset | undefined;
}

/** Labels that rules without subsets choose endpoints by: hostname → sorted labels → the same as a record. */
export type LabelParts = ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, string>>>>;

const whole: Part = { key: "", labels: "", subset: undefined };
const onlyWhole: readonly Part[] = [whole];

/** The whole of a service's endpoints, its subsets, and what rules choose by labels. */
export function partsOf(
  hostname: string,
  policy: HostPolicy | undefined,
  labelParts: LabelParts,
): readonly Part[] {
  const choices = labelParts.get(hostname);
  if (policy === undefined && choices === undefined) return onlyWhole;
  const subsets = policy?.subsets ?? [];
  const named = subsets
    .filter(({ name }) => name !== "")
    .map((subset): Part => ({ key: subset.name, labels: formatLabels(subset.labels), subset }));
  const labelled = [...(choices ?? [])].map(
    ([labels, record]): Part => ({
      key: labels,
      labels,
      subset: findSubset(subsets, { subset: "", labels: record }),
    }),
  );
  return [whole, ...named, ...labelled];
}

/** Tells which kinds of proxies get the same clusters of a service. */
interface TraitsKeys {
  readonly withPolicy: string;
  /** Without a policy endpoints count alike wherever the caller is. */
  readonly withoutPolicy: string;
}

const traitsKeys = new WeakMap<ProxyTraits, TraitsKeys>();

function clusterTraitsKeys(traits: ProxyTraits): TraitsKeys {
  const known = traitsKeys.get(traits);
  if (known !== undefined) return known;
  const { kind, agent, families, locality, labels } = traits;
  const common = [kind === "sidecar", agent, families];
  const keys = { withPolicy: dataKey([...common, locality, labels]), withoutPolicy: dataKey(common) };
  traitsKeys.set(traits, keys);
  return keys;
}

interface Remembered {
  readonly sets: readonly (EndpointSet | undefined)[];
  readonly entries: readonly ClusterEntry[];
}

const noPolicy = {};

const isByEds = ({ clusterDiscoveryType: { value } }: Cluster): boolean => value === DiscoveryType.EDS;

/** Makes the clusters of services, once for all proxies that get the same. For one state of the mesh's settings. */
export class ServiceClusters {
  private readonly makeCluster: (inputs: OutboundInputs) => Cluster;
  private readonly remembered = new WeakMap<ScopedService, WeakMap<object, Map<string, Remembered>>>();

  /** @param makeCluster as Envoy wants them if left out */
  constructor(makeCluster = outboundCluster) {
    this.makeCluster = makeCluster;
  }

  /** @param sniDnat for gateways that pass mutual TLS on by its server name: clusters of that name, without TLS. */
  get(
    scoped: ScopedService,
    context: Context,
    labelParts: LabelParts,
    sniDnat = false,
  ): readonly ClusterEntry[] {
    const { service } = scoped;
    const policy = context.policyOf(service);
    const parts = partsOf(service.hostname, policy, labelParts);
    const { withPolicy, withoutPolicy } = clusterTraitsKeys(context.proxy);
    const chosen = parts.length === 1 ? "" : parts.map((part) => part.key).join(" ");
    const key = `${policy === undefined ? withoutPolicy : withPolicy} ${sniDnat} ${chosen}`;
    const byPolicy = this.remembered.get(scoped) ?? new WeakMap<object, Map<string, Remembered>>();
    this.remembered.set(scoped, byPolicy);
    const byKey = byPolicy.get(policy ?? noPolicy) ?? new Map<string, Remembered>();
    byPolicy.set(policy ?? noPolicy, byKey);
    const sets = holdsEndpoints(service) ? setsOf(scoped, parts, context) : [];
    const known = byKey.get(key);
    if (known !== undefined && sets.every((set, i) => set === known.sets[i])) return known.entries;
    const entries = scoped.ports
      .filter(({ applicationProtocol }) => applicationProtocol !== ApplicationProtocol.UDP)
      .flatMap((port) =>
        parts.map((part) => clusterEntry(scoped, port, part, policy, context, sniDnat, this.makeCluster)),
      );
    byKey.set(key, { sets, entries });
    return entries;
  }
}

const setsOf = ({ service, ports }: ScopedService, parts: readonly Part[], context: Context) =>
  ports.flatMap(({ port }) =>
    parts.map(({ labels }) => context.endpointSet(outboundClusterName(port, labels, service.hostname))),
  );

function clusterEntry(
  { service }: ScopedService,
  port: ServicePort,
  part: Part,
  hostPolicy: HostPolicy | undefined,
  context: Context,
  sniDnat: boolean,
  makeCluster: (inputs: OutboundInputs) => Cluster,
): ClusterEntry {
  const { mesh, proxy } = context;
  const { hostname } = service;
  const policy = policyFor(hostPolicy, port.port, part.subset);
  const set = outboundClusterName(port.port, part.labels, hostname);
  const cluster = makeCluster({
    service,
    port,
    subset: part.key,
    policy,
    rule: hostPolicy?.name,
    endpoints: holdsEndpoints(service) ? (context.endpointSet(set)?.endpoints ?? []) : [],
    mesh,
    proxy,
    ...(sniDnat && { name: serverNameOf(port.port, part.key, hostname), transport: false }),
  });
  const plan = localityPlan(policy.loadBalancer?.locality, policy.outlierDetection, proxy);
  return {
    resource: resourceOf(ClusterSchema, cluster.name, cluster),
    hostname,
    endpoints: isByEds(cluster) ? { set, plan, onlyMutualTls: sniDnat } : undefined,
  };
}
