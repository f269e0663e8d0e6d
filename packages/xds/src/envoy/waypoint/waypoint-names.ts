/** Clusters and internal listeners of a waypoint, as Istio calls them. */
export const waypointNames = {
  /** Ends tunnels. */
  terminate: "connect_terminate",
  /** Takes what was in a tunnel. */
  main: "main_internal",
  /** Leads to the listener that begins tunnels. */
  encapsulate: "encap",
  /** Begins tunnels. */
  originate: "connect_originate",
} as const;

/** Where tunnels of the mesh end. */
export const tunnelPort = 15_008;

/** What is told between the two ends of an internal connection: where it is meant to go. */
export const originalDestinationKey = "envoy.filters.listener.original_dst";

/** @param kind "http" or "tcp" */
export const vipClusterName = (port: number, kind: string, subset: string, hostname: string): string =>
  `inbound-vip|${port}|${subset === "" ? kind : `${kind}/${subset}`}|${hostname}`;
