import { create } from "@bufbuild/protobuf";
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { type Mesh, MutualTls } from "@keelson/protos/proxy";
import { clusterNames, filterChainNames, inboundClusterName, listenerName, listenerNames } from "../names.ts";
import { inboundRoutes } from "../route/inbound-route.ts";
import { meshServerSocket, serverSocket } from "../tls/downstream.ts";
import type { ProxyTraits } from "../traits.ts";
import { httpManager } from "./http-manager.ts";
import { type InboundMatch, inboundMatches, ownTlsMatches } from "./inbound-match.ts";
import type { InboundPlan, UnknownPort } from "./inbound-plan.ts";
import { listenerKind } from "./listener-merger.ts";
import { passTo } from "./tcp-proxy.ts";

/** What a chain does, whichever of the ways of being called it is for. */
interface InboundTarget {
  readonly cluster: string;
  /** 0: every port that has no chain of its own. */
  readonly port: number;
  readonly servicePort: number;
  readonly hostname: string;
  readonly protocol: Protocol;
  readonly statPrefix: string;
  readonly names: { readonly http: string; readonly tcp: string };
}

const http2Protocols = new Set([Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB]);

function filterOf(target: InboundTarget, { speaks }: InboundMatch, mesh: Mesh, proxy: ProxyTraits): Filter {
  if (speaks === "tcp") return passTo(target.cluster, mesh, proxy.idleTimeoutMs);
  return httpManager(
    {
      direction: "inbound",
      statPrefix: target.statPrefix,
      routes: inboundRoutes(target),
      grpcWeb: target.protocol === Protocol.GRPC_WEB,
      http2: http2Protocols.has(target.protocol),
    },
    mesh,
    proxy,
  );
}

type Socket = NonNullable<ReturnType<typeof meshServerSocket>>;

const chainOf = (
  target: InboundTarget,
  match: InboundMatch,
  mesh: Mesh,
  proxy: ProxyTraits,
  socket: Socket,
): FilterChain =>
  create(FilterChainSchema, {
    name: target.names[match.speaks],
    filterChainMatch: {
      applicationProtocols: [...match.applicationProtocols],
      transportProtocol: match.transportProtocol,
      ...(target.port !== 0 && { destinationPort: target.port }),
    },
    filters: [filterOf(target, match, mesh, proxy)],
    ...(match.endsTls && { transportSocket: socket }),
  });

/** The chains for one port of the workload. */
export function portChains(plan: InboundPlan, mesh: Mesh, proxy: ProxyTraits): FilterChain[] {
  const kind = listenerKind(plan.protocol) ?? "tcp";
  const name = listenerName(plan.bind, plan.port);
  const target: InboundTarget = {
    ...plan,
    cluster: inboundClusterName(plan.port),
    statPrefix: `inbound_${name}`,
    names: { http: name, tcp: name },
  };
  // What asks for the mesh's certificates alone takes no other TLS.
  const tls = plan.mutualTls === MutualTls.STRICT ? undefined : plan.tls;
  const matches = tls === undefined ? inboundMatches(kind, plan.mutualTls, proxy) : ownTlsMatches(kind);
  return matches.map((match) =>
    chainOf(
      target,
      match,
      mesh,
      proxy,
      tls === undefined ? meshServerSocket(proxy, match.speaks) : serverSocket(tls, proxy),
    ),
  );
}

/** The chains for every port that no service has, and the one that keeps the listener from calling itself. */
export function passthroughChains(
  ports: readonly UnknownPort[],
  mesh: Mesh,
  proxy: ProxyTraits,
): FilterChain[] {
  const target: Omit<InboundTarget, "port"> = {
    cluster: clusterNames.inboundPassthrough,
    servicePort: 0,
    hostname: "",
    protocol: Protocol.UNSPECIFIED,
    statPrefix: clusterNames.inboundPassthrough,
    names: { http: filterChainNames.inboundCatchAllHttp, tcp: listenerNames.inbound },
  };
  return [
    create(FilterChainSchema, {
      name: filterChainNames.inboundBlackHole,
      filterChainMatch: { destinationPort: mesh.proxyInboundListenPort },
      filters: [passTo(clusterNames.blackHole, mesh)],
    }),
    ...ports.flatMap(({ port, mutualTls }) =>
      inboundMatches("auto", mutualTls, proxy).map((match) =>
        chainOf({ ...target, port }, match, mesh, proxy, meshServerSocket(proxy, match.speaks)),
      ),
    ),
  ];
}
