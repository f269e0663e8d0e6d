import { create } from "@bufbuild/protobuf";
import {
  type Filter,
  FilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import type { RouteConfiguration } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import {
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCertDetails,
  HttpConnectionManagerSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { overAds } from "../config-source.ts";
import type { ProxyTraits } from "../traits.ts";
import { duration, type Init, typedConfig } from "../wire.ts";
import { accessLogs } from "./access-log.ts";
import { httpFilters } from "./http-filters.ts";

type Manager = Init<typeof HttpConnectionManagerSchema>;

/** Whose requests: the workload's own, those for the workload, or those from outside the mesh. */
export type Direction = "outbound" | "inbound" | "gateway";

export interface HttpManagerInputs {
  readonly direction: Direction;
  /** Prefix of the statistics' names. */
  readonly statPrefix: string;
  /** Name of a route configuration, or one whole. */
  readonly routes: string | RouteConfiguration;
  readonly grpcWeb?: boolean;
  readonly http2?: boolean;
  /** A forward proxy takes requests with absolute URLs. */
  readonly forwardProxy?: boolean;
}

/** Sidecars trust what callers of the mesh say of the certificates before them, gateways tell only what they saw. */
function certificateFields(direction: Direction): Manager {
  if (direction === "outbound") return {};
  const gateway = direction === "gateway";
  return {
    forwardClientCertDetails: gateway
      ? ForwardClientCertDetails.SANITIZE_SET
      : ForwardClientCertDetails.APPEND_FORWARD,
    setCurrentClientCertDetails: { subject: true, uri: true, dns: true, cert: gateway },
  };
}

/** The filter that speaks HTTP, with Istio's settings. */
export function httpManager(inputs: HttpManagerInputs, mesh: Mesh, proxy: ProxyTraits): Filter {
  const { direction, routes, statPrefix } = inputs;
  const http1 = {
    ...(proxy.http10 && { acceptHttp10: true }),
    ...(inputs.forwardProxy === true && { allowAbsoluteUrl: true }),
  };
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: typedConfig(HttpConnectionManagerSchema, {
      statPrefix: proxy.agent ? `${statPrefix};` : statPrefix,
      routeSpecifier:
        typeof routes === "string"
          ? { case: "rds", value: { routeConfigName: routes, configSource: overAds } }
          : { case: "routeConfig", value: routes },
      httpFilters: httpFilters(
        inputs.grpcWeb === true,
        proxy.extensions.filter((use) => (direction === "inbound" ? use.forServers : use.forClients)),
      ),
      // The caller's side is "envoy" by default; Istio names only the server's.
      ...(direction !== "outbound" && { serverName: "istio-envoy" }),
      useRemoteAddress: direction === "gateway",
      normalizePath: true,
      streamIdleTimeout: duration(0),
      upgradeConfigs: [{ upgradeType: "websocket" }],
      ...certificateFields(direction),
      ...(Object.keys(http1).length > 0 && { httpProtocolOptions: http1 }),
      ...(inputs.http2 === true && { http2ProtocolOptions: {} }),
      ...(proxy.idleTimeoutMs !== undefined && {
        commonHttpProtocolOptions: { idleTimeout: duration(proxy.idleTimeoutMs) },
      }),
      accessLog: accessLogs(mesh),
    }),
  });
}
