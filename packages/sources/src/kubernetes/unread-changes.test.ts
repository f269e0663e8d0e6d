import type { KindDescription } from "@keelson/model";
import { expect, test } from "vitest";
import type { RawObject } from "./collection.ts";
import { ObjectStore } from "./object-store.ts";
import { project } from "./projection.ts";
import { resources } from "./resources.ts";
import { rawPod, rawService, rawSlice } from "./testing/raw-objects.ts";

type Fields = Readonly<Record<string, unknown>>;

const service = [{ name: "reviews" }];
const port = { number: 80, name: "http", protocol: "HTTP" };

/** One object of each kind, without its metadata. */
const samples: Readonly<Record<KindDescription["kind"], Fields>> = {
  Service: rawService(),
  EndpointSlice: rawSlice(),
  Pod: rawPod(),
  Namespace: { spec: { finalizers: ["kubernetes"] } },
  Node: { spec: { podCIDR: "10.1.0.0/24" } },
  Secret: { type: "Opaque", data: { password: "c2VjcmV0" } },
  ConfigMap: { data: { holder: "a" } },
  IngressClass: { spec: { controller: "istio.io/ingress-controller" } },
  Ingress: { spec: { rules: [] } },
  RouteRule: { spec: { destination: { name: "reviews" }, precedence: 1, route: [{ weight: 100 }] } },
  DestinationPolicy: { spec: { destination: { name: "reviews" } } },
  EgressRule: { spec: { destination: { service: "example.org" }, ports: [{ port: 80, protocol: "http" }] } },
  VirtualService: { spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" } }] }] } },
  DestinationRule: { spec: { host: "reviews" } },
  ServiceEntry: { spec: { hosts: ["example.org"], ports: [port], resolution: "DNS" } },
  WorkloadEntry: { spec: { address: "10.2.0.1" } },
  Gateway: { spec: { selector: { app: "gateway" }, servers: [{ port, hosts: ["*"] }] } },
  Sidecar: { spec: { egress: [{ hosts: ["./*"] }] } },
  HTTPRoute: { spec: { parentRefs: service } },
  PeerAuthentication: { spec: {} },
  WasmPlugin: { spec: { url: "https://example.org/filter.wasm" } },
  ReferenceGrant: {
    spec: { from: [{ group: "", kind: "Gateway", namespace: "a" }], to: [{ group: "", kind: "Secret" }] },
  },
};

/** Gateways of two groups are two kinds. */
const otherSamples: Readonly<Record<string, Fields>> = {
  "gateway.networking.k8s.io": { spec: { gatewayClassName: "istio", listeners: [] } },
};

/** Rules choose these by any of their labels. */
const chosenByLabels = new Set<string>(["Pod", "WorkloadEntry"]);

test.each(resources)("a change of $kind that nobody reads is none ($collections.0.group)", (resource) => {
  const { kind, collections } = resource;
  const [collection] = collections;
  let changes = 0;
  const store = new ObjectStore(
    (place, item) => project({ kind, revision: "default" }, place, item),
    () => changes++,
  );
  const { metadata: _, ...body } = (kind === "Gateway" && otherSamples[collection.group]) || samples[kind];
  const labels = { app: "a", "kubernetes.io/service-name": "reviews" };
  const metadata = { name: "a", namespace: "default", uid: "1", resourceVersion: "1", labels };
  store.set(collection, { ...body, metadata });
  expect(store.problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect([store.objects.length, changes]).toEqual([1, 1]);
  const [before] = store.objects;
  const changed: RawObject = {
    ...body,
    metadata: {
      ...metadata,
      resourceVersion: "2",
      generation: 2,
      annotations: { "example.org/note": "x" },
      managedFields: [{ manager: "kubectl" }],
      ownerReferences: [{ name: "b" }],
      finalizers: ["example.org/keep"],
      ...(chosenByLabels.has(kind) ? {} : { labels: { ...labels, "example.org/team": "b" } }),
    },
    // A pod's and a node's say more than what became of them.
    ...(kind === "Pod" ? {} : { status: { conditions: [{ type: "Accepted", status: "True" }] } }),
  };
  store.set(collection, changed);
  expect(store.objects[0]).toBe(before);
  expect([changes, Object.fromEntries(store.events)]).toEqual([1, { add: 1, updatesame: 1 }]);
});
