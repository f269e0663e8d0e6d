const apiPrefix = "type.googleapis.com/";

/** Short names of types, as Pilot's metrics, logs and queries have them. */
const shortNames: Readonly<Record<string, string>> = {
  "envoy.config.cluster.v3.Cluster": "cds",
  "envoy.config.listener.v3.Listener": "lds",
  "envoy.config.route.v3.RouteConfiguration": "rds",
  "envoy.config.endpoint.v3.ClusterLoadAssignment": "eds",
  "envoy.extensions.transport_sockets.tls.v3.Secret": "sds",
  "envoy.config.core.v3.TypedExtensionConfig": "ecds",
  "envoy.config.bootstrap.v3.Bootstrap": "bds",
  "istio.networking.nds.v1.NameTable": "nds",
  "istio.mesh.v1alpha1.ProxyConfig": "pcds",
  "istio.workload.Address": "wds",
  "istio.workload.Workload": "wds",
  "istio.security.Authorization": "wads",
};

const typeUrls = new Map(
  Object.entries(shortNames)
    .toReversed()
    .map(([name, short]) => [short, apiPrefix + name]),
);

/** "cds" for Cluster's type URL, and so on; a type without a short name is named by its URL. */
export function shortTypeName(typeUrl: string): string {
  const name = typeUrl.startsWith(apiPrefix) ? typeUrl.slice(apiPrefix.length) : "";
  return Object.hasOwn(shortNames, name) ? (shortNames[name] ?? typeUrl) : typeUrl;
}

/** The reverse; "wds" is istio.workload.Address. A name that is not known stands for itself. */
export function typeUrlOf(shortName: string): string {
  return typeUrls.get(shortName.toLowerCase()) ?? shortName;
}
