import { create } from "@bufbuild/protobuf";
import {
  type Filter,
  FilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouterSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCertDetails,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { socketAddress, wildcardsOf } from "../addresses.ts";
import { accessLogs, unmatchedAccessLogs } from "../listener/access-log.ts";
import { originalDestination } from "../listener/listener-filters.ts";
import type { ProxyTraits } from "../traits.ts";
import { duration, typedConfig } from "../wire.ts";
import { connectAuthority } from "./connect-authority.ts";
import { tunnelServerSocket } from "./tunnel-tls.ts";
import { tunnelPort, waypointNames } from "./waypoint-names.ts";

const connect = "CONNECT";

/** Tunnels, one a stream; each leads to the main listener. */
function tunnelManager(mesh: Mesh): Filter {
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: typedConfig(HttpConnectionManagerSchema, {
      statPrefix: waypointNames.terminate,
      routeSpecifier: {
        case: "routeConfig",
        value: {
          name: "default",
          virtualHosts: [
            {
              name: "default",
              domains: ["*"],
              routes: [
                {
                  match: { pathSpecifier: { case: "connectMatcher", value: {} } },
                  action: {
                    case: "route",
                    value: {
                      upgradeConfigs: [{ upgradeType: connect, connectConfig: {} }],
                      clusterSpecifier: { case: "cluster", value: waypointNames.main },
                    },
                  },
                },
              ],
            },
          ],
        },
      },
      httpFilters: [
        connectAuthority,
        create(HttpFilterSchema, {
          name: "envoy.filters.http.router",
          configType: typedConfig(RouterSchema),
        }),
      ],
      forwardClientCertDetails: ForwardClientCertDetails.APPEND_FORWARD,
      setCurrentClientCertDetails: { subject: true, uri: true, dns: true },
      serverName: "istio-envoy",
      useRemoteAddress: false,
      streamIdleTimeout: duration(0),
      upgradeConfigs: [{ upgradeType: connect }],
      http2ProtocolOptions: {
        allowConnect: true,
        // All streams of a connection are one thread's work.
        maxConcurrentStreams: 100,
        // Callers that are gone leave nothing open.
        connectionKeepalive: { interval: duration(10_000), timeout: duration(20_000) },
      },
      accessLog: accessLogs(mesh),
    }),
  });
}

function terminateListener(mesh: Mesh, proxy: ProxyTraits): Listener {
  const [bind = "", ...others] = wildcardsOf(proxy.families);
  return create(ListenerSchema, {
    name: waypointNames.terminate,
    address: socketAddress(bind, tunnelPort),
    additionalAddresses: others.map((host) => ({ address: socketAddress(host, tunnelPort) })),
    filterChains: [
      { name: "default", transportSocket: tunnelServerSocket(proxy, mesh), filters: [tunnelManager(mesh)] },
    ],
    // Tunnels are few and live long: without it they may all end on one thread.
    connectionBalanceConfig: { balanceType: { case: "exactBalance", value: {} } },
    accessLog: unmatchedAccessLogs(mesh),
  });
}

const originateListener = (mesh: Mesh): Listener =>
  create(ListenerSchema, {
    name: waypointNames.originate,
    listenerSpecifier: { case: "internalListener", value: {} },
    useOriginalDst: false,
    listenerFilters: [originalDestination],
    filterChains: [
      {
        filters: [
          {
            name: "envoy.filters.network.tcp_proxy",
            configType: typedConfig(TcpProxySchema, {
              statPrefix: waypointNames.originate,
              clusterSpecifier: { case: "cluster", value: waypointNames.originate },
              tunnelingConfig: { hostname: "%DOWNSTREAM_LOCAL_ADDRESS%" },
            }),
          },
        ],
      },
    ],
    accessLog: unmatchedAccessLogs(mesh),
  });

/** The listeners by which tunnels end and begin. */
export const tunnelListeners = (mesh: Mesh, proxy: ProxyTraits): Listener[] => [
  terminateListener(mesh, proxy),
  originateListener(mesh),
];
