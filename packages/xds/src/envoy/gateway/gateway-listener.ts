import { create } from "@bufbuild/protobuf";
import {
  TrafficDirection,
  TransportSocketSchema,
} from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { FilterChain } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { socketAddress, wildcardsOf } from "../addresses.ts";
import type { Context } from "../context.ts";
import { unmatchedAccessLogs } from "../listener/access-log.ts";
import { withoutOverlaps } from "../listener/chain-plan.ts";
import { filterChain } from "../listener/filter-chain.ts";
import { tlsInspector } from "../listener/listener-filters.ts";
import { listenerName } from "../names.ts";
import { serverSocket } from "../tls/downstream.ts";
import { duration } from "../wire.ts";
import { type GatewayChain, gatewayChains, type TablesOf } from "./gateway-chains.ts";
import type { GatewayListener } from "./gateway-listeners.ts";

/** A handshake that takes longer is given up, so that slow ones cannot use up the memory. */
const handshakeTimeoutMs = 15_000;

function writeChain(chain: GatewayChain, statPrefix: string, { mesh, proxy }: Context): FilterChain {
  const written = filterChain(chain, { direction: "gateway", statPrefix, mesh, proxy });
  written.transportSocketConnectTimeout = duration(handshakeTimeoutMs);
  if (chain.tls !== undefined) {
    written.transportSocket = create(TransportSocketSchema, serverSocket(chain.tls, proxy));
  }
  return written;
}

/** All plain HTTP servers of an address share one chain: their routes tell their hosts apart. */
function chainsOf({ kind, servers }: GatewayListener, context: Context, tablesOf: TablesOf): GatewayChain[] {
  const used = kind === "http" ? servers.slice(0, 1) : servers;
  return withoutOverlaps(used.flatMap((served) => gatewayChains(served, context, tablesOf)));
}

/** @returns undefined where no connection could be taken: Envoy refuses a listener without chains. */
export function gatewayListener(
  listener: GatewayListener,
  context: Context,
  tablesOf: TablesOf,
): Listener | undefined {
  const { mesh, proxy } = context;
  const { bind: written, port, kind } = listener;
  const binds = written === "" ? wildcardsOf(proxy.families) : [written];
  const [bind = "", ...others] = binds;
  const name = listenerName(bind, port);
  const chains = chainsOf(listener, context, tablesOf);
  if (chains.length === 0 || (proxy.unprivileged && port < 1024)) return undefined;
  return create(ListenerSchema, {
    name,
    address: socketAddress(bind, port),
    additionalAddresses: others.map((host) => ({ address: socketAddress(host, port) })),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: chains.map((chain) => writeChain(chain, `outbound_${name}`, context)),
    listenerFilters: kind === "tls" ? [tlsInspector] : [],
    accessLog: unmatchedAccessLogs(mesh),
  });
}
