import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type FilterChain,
  FilterChainSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { socketAddress, wildcardsOf } from "../addresses.ts";
import { clusterNames, filterChainNames, listenerName, listenerNames } from "../names.ts";
import type { ProxyTraits } from "../traits.ts";
import { duration, type Init } from "../wire.ts";
import { unmatchedAccessLogs } from "./access-log.ts";
import { takesAll } from "./chain-plan.ts";
import { filterChain } from "./filter-chain.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import type { ListenerPlan } from "./listener-merger.ts";
import { passTo } from "./tcp-proxy.ts";

export interface OutboundSettings {
  readonly mesh: Mesh;
  readonly proxy: ProxyTraits;
  /** Unknown destinations are passed on. */
  readonly passesThrough: boolean;
}

/** What becomes of connections that no rule and no service has. */
const restFilter = ({ mesh, proxy, passesThrough }: OutboundSettings) =>
  passTo(passesThrough ? clusterNames.passthrough : clusterNames.blackHole, mesh, proxy.idleTimeoutMs);

type ListenerFields = Init<typeof ListenerSchema>;

/** Inspectors only where a chain needs what they find: they wait for bytes that some protocols never send. */
function inspection({ chains }: ListenerPlan, mesh: Mesh): ListenerFields {
  const looksForHttp = chains.some(({ match }) => match.applicationProtocols.length > 0);
  const looksForNames = chains.some(({ match }) => match.serverNames.length > 0);
  return {
    listenerFilters: [...(looksForNames ? [tlsInspector] : []), ...(looksForHttp ? [httpInspector] : [])],
    listenerFiltersTimeout: duration(looksForHttp ? mesh.protocolDetectionTimeoutMs : 0),
    continueOnListenerFiltersTimeout: true,
  };
}

/** The chain for everything is the default where there are others: a chain half matched falls back to it. */
function chainFields(plan: ListenerPlan, settings: OutboundSettings, statPrefix: string): ListenerFields {
  const { mesh, proxy } = settings;
  const write = (chain: (typeof plan.chains)[number]): FilterChain =>
    filterChain(chain, { direction: "outbound", statPrefix, mesh, proxy });
  const matching = plan.chains.filter(({ match }) => !takesAll(match)).map(write);
  const rest = plan.chains.find(({ match }) => takesAll(match));
  if (matching.length === 0 && rest !== undefined) return { filterChains: [write(rest)] };
  if (rest !== undefined) return { filterChains: matching, defaultFilterChain: write(rest) };
  return {
    filterChains: matching,
    defaultFilterChain: { name: filterChainNames.passthrough, filters: [restFilter(settings)] },
  };
}

export function outboundListener(plan: ListenerPlan, settings: OutboundSettings): Listener {
  const [bind = "", ...others] = plan.binds;
  return create(ListenerSchema, {
    name: plan.name,
    address: socketAddress(bind, plan.port),
    additionalAddresses: others.map((host) => ({ address: socketAddress(host, plan.port) })),
    trafficDirection: TrafficDirection.OUTBOUND,
    ...(!plan.bindToPort && { bindToPort: false }),
    ...inspection(plan, settings.mesh),
    ...chainFields(plan, settings, `outbound_${listenerName(bind, plan.port)}`),
    accessLog: unmatchedAccessLogs(settings.mesh),
  });
}

/** Takes all connections that are redirected to the proxy, and hands each to the listener of its destination. */
export function virtualOutboundListener(settings: OutboundSettings): Listener {
  const { mesh, proxy } = settings;
  const [bind = "", ...others] = wildcardsOf(proxy.families);
  return create(ListenerSchema, {
    name: listenerNames.outbound,
    address: socketAddress(bind, mesh.proxyListenPort),
    additionalAddresses: others.map((host) => ({ address: socketAddress(host, mesh.proxyListenPort) })),
    trafficDirection: TrafficDirection.OUTBOUND,
    useOriginalDst: true,
    ...(proxy.interception === "TPROXY" && { transparent: true }),
    filterChains: [
      create(FilterChainSchema, {
        name: filterChainNames.outboundBlackHole,
        // Whoever dials this very port would be passed back to it without end.
        filterChainMatch: { destinationPort: mesh.proxyListenPort },
        filters: [passTo(clusterNames.blackHole, mesh)],
      }),
      create(FilterChainSchema, {
        name: filterChainNames.outboundCatchAll,
        filters: [restFilter(settings)],
      }),
    ],
    accessLog: unmatchedAccessLogs(mesh),
  });
}
