/** Paths of collections in a namespace. */
export const paths = {
  services: "/api/v1/namespaces/default/services",
  pods: "/api/v1/namespaces/default/pods",
  slices: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
  endpoints: "/api/v1/namespaces/default/endpoints",
  nodes: "/api/v1/nodes",
  virtualServices: "/apis/networking.istio.io/v1/namespaces/default/virtualservices",
} as const;

type Fields = Readonly<Record<string, unknown>>;

export const node = (name: string, zone: string): Fields => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": zone } },
});

export const service = (name: string): Fields => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { selector: { app: name }, ports: [{ name: "http", port: 9080, targetPort: 9080 }] },
});

/** As an Istio 0.2 installation defines it, in what today's API servers take. */
export const routeRuleDefinition: Fields = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "routerules.config.istio.io" },
  spec: {
    group: "config.istio.io",
    scope: "Namespaced",
    names: { kind: "RouteRule", listKind: "RouteRuleList", plural: "routerules", singular: "routerule" },
    versions: [
      {
        name: "v1alpha2",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

/** A pod as the scheduler has placed it; what the kubelet says of it is `podStatus`. */
export const pod = (app: string, version: string): Fields => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `${app}-${version}`, namespace: "default", labels: { app, version } },
  spec: { nodeName: "node-a", serviceAccountName: "default", containers: [{ name: "app", image: app }] },
});

export const podStatus = (ip: string): Fields => ({
  status: {
    phase: "Running",
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: "Ready", status: "True" }],
  },
});

/** What Kubernetes' controller would make of a service and its pods. */
export const slice = (app: string, addresses: Readonly<Record<string, string>>) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${app}-a`, namespace: "default", labels: { "kubernetes.io/service-name": app } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 9080, protocol: "TCP" }],
  endpoints: Object.entries(addresses).map(([version, ip]) => ({
    addresses: [ip],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: "node-a",
    targetRef: { kind: "Pod", name: `${app}-${version}`, namespace: "default" },
  })),
});

/** Of Istio's controller. */
export const ingressClassOf = (name: string): Fields => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name },
  spec: { controller: "istio.io/ingress-controller" },
});

/** Called front, it leads everything to a service. */
export const ingressOf = (ingressClassName: string, toService: string): Fields => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "front", namespace: "default" },
  spec: {
    ingressClassName,
    defaultBackend: { service: { name: toService, port: { number: 9080 } } },
  },
});
