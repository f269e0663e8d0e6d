import type { LegacyMesh } from "@keelson/protos/proxy";
import { hostAndPort } from "../envoy/names.ts";
import type { Age } from "./age.ts";
import type { Caller } from "./caller.ts";
import type { HttpFilter } from "./faults.ts";
import { optional } from "./go-json.ts";
import { asksMixer, mixerHttpConfig } from "./mixer.ts";
import type { V1Protocol } from "./protocols.ts";

export interface NetworkFilter {
  readonly type: "read" | "both";
  readonly name: string;
  readonly config: object;
}

export interface ListenerPlan {
  /** host:port */
  readonly address: string;
  readonly name: string;
  readonly filters: readonly NetworkFilter[];
  readonly tls?: object;
  readonly bindToPort: boolean;
  readonly useOriginalDestination?: boolean;
}

export const anyAddress = "0.0.0.0";
export const loopback = "127.0.0.1";

/** What all listeners of a proxy depend on. */
export interface ListenerContext {
  readonly mesh: LegacyMesh;
  readonly age: Age;
  readonly caller: Caller;
}

interface HttpListener {
  readonly address: string;
  readonly port: number;
  /** A route configuration's name, to be asked for, or the configuration itself. */
  readonly routes: string | object;
  readonly faults?: readonly HttpFilter[];
  /** Services that Mixer is told of. */
  readonly hostnames: readonly string[];
  /** As traces call it. */
  readonly operation: "ingress" | "egress";
  /** Callers are not proxies: their address is who they are. */
  readonly useRemoteAddress?: boolean;
}

export function httpListener(listener: HttpListener, context: ListenerContext): ListenerPlan {
  const { address, port, routes, operation, useRemoteAddress } = listener;
  const { mesh } = context;
  const config = {
    codec_type: "auto",
    stat_prefix: "http",
    ...optional("generate_request_id", mesh.enableTracing),
    ...optional("use_remote_address", useRemoteAddress),
    ...(mesh.enableTracing && { tracing: { operation_name: operation } }),
    ...(typeof routes === "string"
      ? {
          rds: {
            cluster: "rds",
            route_config_name: routes,
            refresh_delay_ms: Number(mesh.rdsRefreshDelayMs),
          },
        }
      : { route_config: routes }),
    filters: httpFilters(listener, context),
    access_log: mesh.accessLogFile === "" ? [] : [{ path: mesh.accessLogFile }],
  };
  return {
    address: hostAndPort(address, port),
    name: `http_${address}_${port}`,
    filters: [{ type: "read", name: "http_connection_manager", config }],
    bindToPort: true,
  };
}

function httpFilters({ faults = [], hostnames }: HttpListener, context: ListenerContext): HttpFilter[] {
  const mixer = {
    type: "decoder",
    name: "mixer",
    config: mixerHttpConfig(context.caller, hostnames),
  } as const;
  return [
    ...(asksMixer(context) ? [mixer] : []),
    ...(context.age === "0.7" ? [{ type: "", name: "cors", config: {} } as const] : []),
    ...faults,
    { type: "decoder", name: "router", config: {} },
  ];
}

interface TcpListener {
  readonly address: string;
  readonly port: number;
  readonly cluster: string;
  /** Addresses that connections may be for; none: any. */
  readonly destinations: readonly string[];
  readonly protocol: V1Protocol;
}

/** Milliseconds that a Redis command may take. */
const redisTimeoutMs = 30_000;

export function tcpListener(listener: TcpListener, age: Age): ListenerPlan {
  const { address, port, cluster, protocol } = listener;
  const common = { address: hostAndPort(address, port), bindToPort: false };
  // Envoy's Redis filter did not follow clusters that came later, so that Pilot 0.7 went back to TCP.
  if (protocol === "REDIS" && age === "0.2") {
    const config = {
      cluster_name: cluster,
      conn_pool: { op_timeout_ms: redisTimeoutMs },
      stat_prefix: "redis",
    };
    const filters = [{ type: "both", name: "redis_proxy", config } as const];
    return { ...common, name: `redis_${address}_${port}`, filters };
  }
  const isMongo = protocol === "MONGO";
  const mongo = { type: "both", name: "mongo_proxy", config: { stat_prefix: "mongo" } } as const;
  return {
    ...common,
    name: `${isMongo ? "mongo" : "tcp"}_${address}_${port}`,
    filters: [...(isMongo ? [mongo] : []), tcpProxy(listener)],
  };
}

function tcpProxy({ cluster, destinations }: TcpListener): NetworkFilter {
  const list = destinations.map((address) => `${address}/${address.includes(":") ? 128 : 32}`);
  const route = { cluster, ...optional("destination_ip_list", list) };
  return {
    type: "read",
    name: "tcp_proxy",
    config: { stat_prefix: "tcp", route_config: { routes: [route] } },
  };
}

/** Each address once, the first that has it; sorted by address. */
export function normaliseListeners(listeners: readonly ListenerPlan[]): ListenerPlan[] {
  const byAddress = new Map<string, ListenerPlan>();
  for (const listener of listeners) {
    if (!byAddress.has(listener.address)) byAddress.set(listener.address, listener);
  }
  return [...byAddress.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

export const renderListener = ({
  address,
  name,
  filters,
  tls,
  bindToPort,
  useOriginalDestination,
}: ListenerPlan): object => ({
  address: `tcp://${address}`,
  name,
  filters,
  ...(tls && { ssl_context: tls }),
  bind_to_port: bindToPort,
  ...optional("use_original_dst", useOriginalDestination),
});
