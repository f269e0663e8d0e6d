import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
  type ListenerFilter,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { ApplicationProtocol as Protocol, type Service, type ServicePort } from "@keelson/protos/policy";
import { spokenAddresses, wildcardsOf } from "../addresses.ts";
import { cidrRange, normaliseCidr } from "../cidr.ts";
import { unmatchedAccessLogs } from "../listener/access-log.ts";
import { plainHttp } from "../listener/chain-plan.ts";
import { httpManager } from "../listener/http-manager.ts";
import { exceptPorts, httpInspector, originalDestination } from "../listener/listener-filters.ts";
import { passTo, tcpProxy } from "../listener/tcp-proxy.ts";
import { clusterNames, filterChainNames, listenerName } from "../names.ts";
import { vipConnections, vipRoutes } from "./vip-routes.ts";
import { vipKinds, type WaypointContext } from "./waypoint-context.ts";
import { vipClusterName, waypointNames } from "./waypoint-names.ts";

const http2Protocols = new Set([Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB]);

/** Takes what was in a tunnel: the chain is found by the address and port that the tunnel leads to. */
export function mainListener(context: WaypointContext): Listener {
  const served = context.scope.egress.flatMap(({ services }) => services.map(({ service }) => service));
  const chains = vipChains(served, context);
  return create(ListenerSchema, {
    name: waypointNames.main,
    listenerSpecifier: { case: "internalListener", value: {} },
    listenerFilters: [originalDestination, ...inspectors(served)],
    trafficDirection: TrafficDirection.INBOUND,
    // Envoy takes no listener without a chain.
    filterChains: chains.length > 0 ? chains : [nowhere(context)],
    accessLog: unmatchedAccessLogs(context.mesh),
  });
}

/** Of services with the same address the first one counts. */
function vipChains(services: readonly Service[], context: WaypointContext): FilterChain[] {
  const taken = new Set<string>();
  return services.flatMap((service) => {
    const texts = [
      ...spokenAddresses(service.addresses, context.proxy.families),
      ...service.addressBlocks.flatMap((block) => normaliseCidr(block) ?? []),
    ];
    return service.ports.flatMap((port) => {
      const own = texts.filter((text) => !taken.has(`${port.port} ${text}`));
      for (const text of own) taken.add(`${port.port} ${text}`);
      // A service without an address is never what a tunnel leads to.
      if (own.length === 0) return [];
      const kinds = vipKinds(port);
      return kinds.map((kind) =>
        create(FilterChainSchema, {
          name: vipClusterName(port.port, kind, "", service.hostname),
          filterChainMatch: {
            destinationPort: port.port,
            prefixRanges: own.flatMap((text) => normaliseCidr(text) ?? []).map(cidrRange),
            ...(kind === "http" &&
              kinds.length > 1 && { applicationProtocols: [...plainHttp(context.proxy.http10)] }),
          },
          filters: [vipFilter(service, port, kind, context)],
        }),
      );
    });
  });
}

function vipFilter(
  service: Service,
  port: ServicePort,
  kind: "http" | "tcp",
  context: WaypointContext,
): Filter {
  const { mesh, proxy } = context;
  const name = vipClusterName(port.port, kind, "", service.hostname);
  if (kind === "tcp") {
    const target = vipConnections(service, port.port, context);
    return target === undefined ? passTo(name, mesh, proxy.idleTimeoutMs) : tcpProxy(target, mesh);
  }
  const { applicationProtocol } = port;
  return httpManager(
    {
      direction: "inbound",
      statPrefix: `inbound_${listenerName(wildcardsOf(proxy.families)[0] ?? "", port.port)}`,
      routes: vipRoutes(service, port, name, context),
      grpcWeb: applicationProtocol === Protocol.GRPC_WEB,
      http2: http2Protocols.has(applicationProtocol),
    },
    mesh,
    proxy,
  );
}

/** A chain that no connection is for. */
const nowhere = ({ mesh }: WaypointContext): FilterChain =>
  create(FilterChainSchema, {
    name: filterChainNames.inboundBlackHole,
    filterChainMatch: { prefixRanges: [cidrRange("0.0.0.0/32")] },
    filters: [passTo(clusterNames.blackHole, mesh)],
  });

/** What waits for bytes is left off ports that need not be looked at. */
function inspectors(services: readonly Service[]): ListenerFilter[] {
  const kinds = new Map<number, Set<string>>();
  for (const port of services.flatMap(({ ports }) => ports))
    kinds.set(port.port, new Set([...(kinds.get(port.port) ?? []), ...vipKinds(port)]));
  const clear = [...kinds].filter(([, found]) => found.size < 2).map(([port]) => port);
  if (clear.length === kinds.size) return [];
  return [
    exceptPorts(
      httpInspector,
      clear.sort((a, b) => a - b),
    ),
  ];
}
