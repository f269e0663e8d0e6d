import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type {
  FilterChain,
  ListenerFilter,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { socketAddress, wildcardsOf } from "../addresses.ts";
import { listenerName, listenerNames } from "../names.ts";
import type { ProxyTraits } from "../traits.ts";
import { duration } from "../wire.ts";
import { unmatchedAccessLogs } from "./access-log.ts";
import { passthroughChains, portChains } from "./inbound-chains.ts";
import type { InboundPlan, UnknownPort } from "./inbound-plan.ts";
import {
  exceptPorts,
  httpInspector,
  onlyPorts,
  originalDestination,
  originalSource,
  tlsInspector,
} from "./listener-filters.ts";

/** The inspector on the ports where a chain asks for what it finds. */
function inspector(
  filter: ListenerFilter,
  chains: readonly FilterChain[],
  asks: (chain: FilterChain) => boolean,
): ListenerFilter[] {
  // 0 stands for all ports that have no chain of their own.
  const portOf = (chain: FilterChain): number => chain.filterChainMatch?.destinationPort ?? 0;
  const asking = new Set(chains.filter(asks).map(portOf));
  const others = [...new Set(chains.map(portOf))].filter((port) => port !== 0 && !asking.has(port));
  if (asking.size === 0) return [];
  if (asking.has(0))
    return [
      exceptPorts(
        filter,
        others.sort((a, b) => a - b),
      ),
    ];
  return others.length === 0
    ? [filter]
    : [
        onlyPorts(
          filter,
          [...asking].sort((a, b) => a - b),
        ),
      ];
}

const asksForTls = ({ filterChainMatch }: FilterChain): boolean =>
  filterChainMatch?.transportProtocol === "tls";
const asksForHttp = ({ filterChainMatch }: FilterChain): boolean =>
  filterChainMatch?.applicationProtocols.some((name) => name === "http/1.1" || name === "h2c") === true;

function inboundListener(
  name: string,
  binds: readonly string[],
  port: number,
  chains: FilterChain[],
  mesh: Mesh,
  listenerFilters: readonly ListenerFilter[],
): Listener {
  const [bind = "", ...others] = binds;
  return create(ListenerSchema, {
    name,
    address: socketAddress(bind, port),
    additionalAddresses: others.map((host) => ({ address: socketAddress(host, port) })),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: chains,
    listenerFilters: [
      ...listenerFilters,
      ...inspector(tlsInspector, chains, asksForTls),
      // After the TLS inspector: it looks only at what is no TLS.
      ...inspector(httpInspector, chains, asksForHttp),
    ],
    listenerFiltersTimeout: duration(mesh.protocolDetectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    accessLog: unmatchedAccessLogs(mesh),
  });
}

/** Takes all connections to the workload that are redirected to its sidecar. */
function virtualInboundListener(
  plans: readonly InboundPlan[],
  others: readonly UnknownPort[],
  mesh: Mesh,
  proxy: ProxyTraits,
): Listener {
  const chains = [
    ...passthroughChains(others, mesh, proxy),
    ...plans.flatMap((plan) => portChains(plan, mesh, proxy)),
  ];
  const transparent = proxy.interception === "TPROXY";
  const listener = inboundListener(
    listenerNames.inbound,
    wildcardsOf(proxy.families),
    mesh.proxyInboundListenPort,
    chains,
    mesh,
    transparent ? [originalDestination, originalSource] : [originalDestination],
  );
  return transparent ? { ...listener, transparent } : listener;
}

/** @param plans of the workload's ports, at most one of each number. */
export function inboundListeners(
  plans: readonly InboundPlan[],
  others: readonly UnknownPort[],
  mesh: Mesh,
  proxy: ProxyTraits,
): Listener[] {
  const redirected = plans.filter(({ bindToPort }) => !bindToPort);
  const virtual =
    proxy.interception === "NONE" ? [] : [virtualInboundListener(redirected, others, mesh, proxy)];
  const own = plans
    .filter(({ bindToPort }) => bindToPort)
    .map((plan) =>
      inboundListener(
        listenerName(plan.bind, plan.port),
        [plan.bind],
        plan.port,
        portChains(plan, mesh, proxy),
        mesh,
        [],
      ),
    );
  return [...virtual, ...own];
}
