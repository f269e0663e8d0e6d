// Names of labels and annotations that are read. What is not named here or said of its kind is not kept.

/** Namespaces that see a service. */
export const exportToAnnotation = "networking.istio.io/exportTo";

/** Names of service accounts in the service's own namespace. */
export const accountsAnnotation = "alpha.istio.io/kubernetes-serviceaccounts";

/** Whole identities. */
export const canonicalAccountsAnnotation = "alpha.istio.io/canonical-serviceaccounts";

/** Which controller an Ingress is for. */
export const ingressClassAnnotation = "kubernetes.io/ingress.class";

/** The service that a slice belongs to. */
export const serviceNameLabel = "kubernetes.io/service-name";

/**
 * Region, zone and sub-zone: labels of nodes, the first of each that is there counts. Endpoints have them under the
 * first name.
 */
export const topologyLabels = [
  ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
  ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"],
  ["topology.istio.io/subzone"],
] as const;

/** Name of the waypoint that callers of a service pass through, and its namespace if that is another one. */
export const waypointLabel = "istio.io/use-waypoint";
export const waypointNamespaceLabel = "istio.io/use-waypoint-namespace";

/** For which traffic a waypoint is. */
export const waypointForLabel = "istio.io/waypoint-for";

/** "enabled" for a pod whose tunnels a ztunnel beside it ends. */
export const redirectionAnnotation = "ambient.istio.io/redirection";

/** Of a service whose callers may stay with one endpoint by a cookie: while that drains, it goes on for them. */
export const persistentSessionLabel = "istio.io/persistent-session";

/** Of a workload that is to take nothing new, whatever its readiness. */
export const drainingLabel = "istio.io/draining";

/** "none" keeps a pod out of a mesh without sidecars, or all pods of a namespace that do not say otherwise. */
export const dataplaneModeLabel = "istio.io/dataplane-mode";

/** On the mirror of a static pod: its uid at the kubelet, which the API server's is not. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";

/** Written by the sidecar injector, of every age. */
export const sidecarAnnotation = "sidecar.istio.io/status";

/** What is read of the metadata of a kind's objects, beside what names them. */
export interface MetadataRead {
  /** "all": rules may choose by any. */
  readonly labels: "all" | readonly string[];
  readonly annotations: readonly string[];
}

const serviceLabels = [waypointLabel, waypointNamespaceLabel, persistentSessionLabel];

const byKind: Readonly<Record<string, Partial<MetadataRead>>> = {
  "Service.": {
    labels: serviceLabels,
    annotations: [exportToAnnotation, accountsAnnotation, canonicalAccountsAnnotation],
  },
  "ServiceEntry.networking.istio.io": { labels: serviceLabels },
  "Gateway.gateway.networking.k8s.io": { labels: [waypointForLabel] },
  "EndpointSlice.discovery.k8s.io": { labels: [serviceNameLabel] },
  "Pod.": { labels: "all", annotations: [redirectionAnnotation, mirrorAnnotation, sidecarAnnotation] },
  "Namespace.": { labels: [dataplaneModeLabel] },
  "Node.": { labels: topologyLabels.flat() },
  "WorkloadEntry.networking.istio.io": { labels: "all" },
  "Ingress.networking.k8s.io": { annotations: [ingressClassAnnotation] },
  "Ingress.extensions": { annotations: [ingressClassAnnotation] },
};

/** @param group API group, empty for Kubernetes' core */
export const metadataRead = (kind: string, group: string): MetadataRead => ({
  labels: [],
  annotations: [],
  ...byKind[`${kind}.${group}`],
});
