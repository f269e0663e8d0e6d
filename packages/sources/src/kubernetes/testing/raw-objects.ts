import { serviceNameLabel } from "@keelson/model";
import type { Collection, RawObject } from "../collection.ts";

// Objects as an API server sends them, with much that nobody reads.

type Fields = Readonly<Record<string, unknown>>;

export const services: Collection = { group: "", version: "v1", plural: "services" };
export const pods: Collection = { group: "", version: "v1", plural: "pods" };
export const nodes: Collection = { group: "", version: "v1", plural: "nodes" };
export const endpoints: Collection = { group: "", version: "v1", plural: "endpoints" };
export const slices: Collection = { group: "discovery.k8s.io", version: "v1", plural: "endpointslices" };

const metadata = (name: string, more: Fields = {}) => ({
  name,
  namespace: "default",
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-02T03:04:05Z",
  generation: 3,
  managedFields: [{ manager: "kubectl", operation: "Update", fieldsV1: { "f:spec": {} } }],
  ...more,
});

export const rawService = (spec: Fields = {}, meta: Fields = {}): RawObject => ({
  metadata: metadata("reviews", { labels: { team: "a" }, ...meta }),
  spec: {
    type: "ClusterIP",
    clusterIP: "10.96.0.1",
    clusterIPs: ["10.96.0.1"],
    ipFamilies: ["IPv4"],
    sessionAffinity: "None",
    selector: { app: "reviews" },
    ports: [{ name: "http", port: 9080, targetPort: "web", protocol: "TCP", nodePort: 30_001 }],
    ...spec,
  },
  status: { loadBalancer: {} },
});

export const rawPod = (meta: Fields = {}, status: Fields = {}): RawObject => ({
  metadata: metadata("reviews-v1", { labels: { app: "reviews", version: "v1" }, ...meta }),
  spec: {
    nodeName: "node-a",
    serviceAccountName: "reviewer",
    volumes: [{ name: "token", projected: {} }],
    containers: [
      {
        name: "app",
        image: "reviews:1",
        env: [{ name: "A", value: "b" }],
        ports: [{ name: "web", containerPort: 9080, protocol: "TCP" }],
        readinessProbe: { httpGet: { path: "/health", port: "web", scheme: "HTTP" }, periodSeconds: 10 },
      },
      { name: "side", image: "side:1" },
    ],
  },
  status: {
    phase: "Running",
    podIP: "10.1.0.1",
    podIPs: [{ ip: "10.1.0.1" }],
    hostIP: "192.0.2.1",
    conditions: [
      { type: "Initialized", status: "True", lastTransitionTime: "2026-01-02T03:04:05Z" },
      { type: "Ready", status: "True", lastTransitionTime: "2026-01-02T03:04:05Z" },
    ],
    containerStatuses: [{ name: "app", ready: true, restartCount: 0 }],
    ...status,
  },
});

export const rawSlice = (fields: Fields = {}, meta: Fields = {}): RawObject => ({
  metadata: metadata("reviews-x7", {
    labels: { [serviceNameLabel]: "reviews", "endpointslice.kubernetes.io/managed-by": "controller" },
    annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-02T03:04:05Z" },
    ...meta,
  }),
  addressType: "IPv4",
  endpoints: [
    {
      addresses: ["10.1.0.1"],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: "node-a",
      zone: "zone-1",
      targetRef: { kind: "Pod", name: "reviews-v1", namespace: "default", uid: "uid-reviews-v1" },
    },
  ],
  ports: [{ name: "http", port: 9080, protocol: "TCP", appProtocol: null }],
  ...fields,
});

export const rawNode = (labels: Fields = {}): RawObject => ({
  metadata: { ...metadata("node-a", { labels }), namespace: undefined },
  spec: { podCIDR: "10.1.0.0/24" },
  status: { capacity: { cpu: "4" }, conditions: [{ type: "Ready", status: "True" }] },
});
