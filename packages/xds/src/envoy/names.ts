/** Clusters, listeners, filter chains and virtual hosts that every Istio control plane gives under these names. */
export const clusterNames = {
  blackHole: "BlackHoleCluster",
  passthrough: "PassthroughCluster",
  inboundPassthrough: "InboundPassthroughCluster",
  /** In the bootstrap that pilot-agent writes: its own secrets. */
  agentSecrets: "sds-grpc",
} as const;

export const listenerNames = { outbound: "virtualOutbound", inbound: "virtualInbound" } as const;

export const filterChainNames = {
  outboundCatchAll: "virtualOutbound-catchall-tcp",
  outboundBlackHole: "virtualOutbound-blackhole",
  inboundBlackHole: "virtualInbound-blackhole",
  inboundCatchAllHttp: "virtualInbound-catchall-http",
  passthrough: "PassthroughFilterChain",
} as const;

export const virtualHostNames = { allowAny: "allow_any", blockAll: "block_all" } as const;

/** Route configuration of a forward proxy's listener. */
export const httpProxyRoute = "http_proxy";

export const unixPrefix = "unix://";

/** Cluster and EDS name. `subset` is a subset's name or, for rules without subsets, its sorted labels. */
export const outboundClusterName = (port: number, subset: string, hostname: string): string =>
  `outbound|${port}|${subset}|${hostname}`;

export const inboundClusterName = (port: number): string => `inbound|${port}||`;

/** Server name of mutual TLS between sidecars, and cluster name of AUTO_PASSTHROUGH gateways. */
export const serverNameOf = (port: number, subset: string, hostname: string): string =>
  `outbound_.${port}_.${subset}_.${hostname}`;

export const listenerName = (bind: string, port: number): string => `${bind}_${port}`;

/**
 * Ends the name of a listener that has an address of a Sidecar's choice and no socket. Envoy (1.40) crashes when a
 * listener that had none is sent with one: with another name, the one takes the place of the other.
 */
export const unboundSuffix = "_unbound";

/** "host:80", "[::1]:80". */
export const hostAndPort = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** An address as it stands in a Host header. */
export const hostHeaderOf = (host: string): string => (host.includes(":") ? `[${host}]` : host);
