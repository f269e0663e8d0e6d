import { isIP } from "node:net";
import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import type { Mesh } from "@keelson/protos/proxy";
import { formatAddress, loopbacksOf, wildcardsOf } from "../addresses.ts";
import { httpVersion } from "../cluster/http-options.ts";
import { inboundCluster, inboundClusterTo } from "../cluster/special-clusters.ts";
import { inboundListeners } from "../listener/inbound-listener.ts";
import type { InboundPlan, UnknownPort } from "../listener/inbound-plan.ts";
import { unixPrefix } from "../names.ts";
import type { ProxyTraits } from "../traits.ts";
import { resourceOf } from "../wire.ts";
import { noResources, type ResourceMap, resourceMap } from "./resource-maps.ts";

/** What sidecars of workloads with the same ports get for the calls to them. Immutable. */
export interface InboundResources {
  readonly clusters: ResourceMap;
  readonly listeners: ResourceMap;
  /** One that no list has, for whoever asks for it by name; it stays the same as long as these do. */
  stray?(typeUrl: string, name: string): Resource | undefined;
}

/** @param addresses of the proxy, for endpoints that a Sidecar writes as 0.0.0.0 and listeners of no other address. */
export function inboundResources(
  plans: readonly InboundPlan[],
  others: readonly UnknownPort[],
  addresses: readonly Uint8Array[],
  mesh: Mesh,
  proxy: ProxyTraits,
): InboundResources {
  const clusters = plans.map((plan) => {
    const cluster = clusterOf(plan, addresses, mesh, proxy);
    return resourceOf(ClusterSchema, cluster.name, cluster);
  });
  const bind = ownAddress(addresses) ?? wildcardsOf(proxy.families)[0] ?? "";
  const placed = plans.map((plan) => (plan.bind === "" ? { ...plan, bind } : plan));
  const listeners = inboundListeners(placed, others, mesh, proxy).map((listener) =>
    resourceOf(ListenerSchema, listener.name, listener),
  );
  return { clusters: resourceMap(clusters), listeners: resourceMap(listeners) };
}

/** The one that others reach the workload at; undefined if all it has are its own loopback interface's. */
function ownAddress(addresses: readonly Uint8Array[]): string | undefined {
  const [own] = addresses;
  const text = own && formatAddress(own);
  return text === undefined || text === "::1" || text.startsWith("127.") ? undefined : text;
}

function clusterOf(plan: InboundPlan, addresses: readonly Uint8Array[], mesh: Mesh, proxy: ProxyTraits) {
  const inputs = {
    port: plan.port,
    pool: plan.pool,
    httpVersion: httpVersion(plan.protocol, plan.pool, true),
  };
  const target = endpointOf(plan.endpoint, addresses, proxy);
  return target === undefined
    ? inboundCluster(inputs, mesh, proxy)
    : inboundClusterTo(inputs, target, mesh, proxy);
}

/** "127.0.0.1:80" is the loopback, "0.0.0.0:80" the workload's own address, in whichever family the proxy speaks. */
function endpointOf(
  written: string,
  addresses: readonly Uint8Array[],
  { families }: ProxyTraits,
): { host: string; port: number } | undefined {
  if (written.startsWith(unixPrefix)) return { host: written, port: 0 };
  const colon = written.lastIndexOf(":");
  const host = written.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(written.slice(colon + 1));
  if (colon === -1 || isIP(host) === 0 || !(port > 0)) return undefined;
  const [own] = addresses;
  const [loopback = ""] = loopbacksOf(families);
  const anywhere = host === "0.0.0.0" || host === "::";
  return { host: anywhere ? (own === undefined ? loopback : formatAddress(own)) : loopback, port };
}

/** For proxies that no workload stands behind. */
export const noInbound: InboundResources = { clusters: noResources, listeners: noResources };
