import { type Endpoint, formatEndpoint, type KnownObject, ModelBuilder } from "@keelson/model";
import { expect, test } from "vitest";
import type { Collection, RawObject } from "./collection.ts";
import { project } from "./projection.ts";
import {
  endpoints as coreEndpoints,
  nodes,
  pods,
  rawNode,
  rawPod,
  rawService,
  rawSlice,
  services,
  slices,
} from "./testing/raw-objects.ts";

function known(kind: string, collection: Collection, item: RawObject): KnownObject[] {
  return project({ kind, revision: "default" }, collection, item).flatMap(({ object, problems }) => {
    expect(problems).toEqual([]);
    return object ?? [];
  });
}

const hostname = "reviews.default.svc.cluster.local";
const ofService = (...args: Parameters<typeof rawService>) => known("Service", services, rawService(...args));
const ofPod = (...args: Parameters<typeof rawPod>) => known("Pod", pods, rawPod(...args));
const ofSlice = (...args: Parameters<typeof rawSlice>) => known("EndpointSlice", slices, rawSlice(...args));
const ofNode = (labels: Record<string, string>) => known("Node", nodes, rawNode(labels));

const build = (...objects: KnownObject[][]) => new ModelBuilder().build(objects.flat()).model;
const endpointsOf = (...objects: KnownObject[][]): readonly Endpoint[] =>
  build(...objects).endpoints.get(hostname) ?? [];
const placesOf = (...objects: KnownObject[][]): string[] =>
  endpointsOf(...objects).map(({ address, port }) => formatEndpoint(address, port));

test("of a pod is kept what is read of it", () => {
  const [pod] = ofPod({ annotations: { "example.org/note": "x" } });
  expect(pod).toEqual({
    kind: "Pod",
    group: "",
    apiVersion: "v1",
    metadata: {
      name: "reviews-v1",
      namespace: "default",
      uid: "uid-reviews-v1",
      creationTimestamp: "",
      labels: { app: "reviews", version: "v1" },
      annotations: {},
    },
    body: {
      spec: {
        nodeName: "node-a",
        serviceAccountName: "reviewer",
        hostNetwork: false,
        containers: [
          {
            ports: [{ name: "web", containerPort: 9080 }],
            livenessProbe: {},
            readinessProbe: { httpGet: { port: "web" } },
          },
        ],
      },
      status: {
        phase: "Running",
        podIP: "10.1.0.1",
        conditions: [{ type: "Ready", status: "True" }],
      },
    },
    origin: expect.anything(),
  });
});

test("of a service, a slice and a node is kept what is read of them", () => {
  const [service] = ofService({}, { annotations: { "networking.istio.io/exportTo": ".", note: "x" } });
  expect(service?.metadata).toMatchObject({
    labels: {},
    annotations: { "networking.istio.io/exportTo": "." },
    creationTimestamp: "2026-01-02T03:04:05Z",
  });
  const [slice] = ofSlice();
  expect(slice?.metadata.labels).toEqual({ "kubernetes.io/service-name": "reviews" });
  expect(slice?.body).toEqual({
    addressType: "IPv4",
    endpoints: [
      {
        addresses: ["10.1.0.1"],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: "Pod", name: "reviews-v1", namespace: "default" },
      },
    ],
    ports: [{ name: "http", port: 9080, protocol: "TCP" }],
  });
  const [node] = ofNode({ "topology.kubernetes.io/zone": "zone-1", "example.org/rack": "7" });
  expect(node?.metadata.labels).toEqual({ "topology.kubernetes.io/zone": "zone-1" });
});

test("a service, its pod, its node and its slice come together", () => {
  const node = ofNode({ "topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "eu-1" });
  const model = build(ofService(), ofPod(), ofSlice(), node);
  expect(model.services.get(hostname)).toMatchObject({
    namespace: "default",
    addresses: [Uint8Array.of(10, 96, 0, 1)],
    ports: [{ port: 9080, name: "http", transport: "TCP", protocol: "http" }],
  });
  expect(model.endpoints.get(hostname)).toMatchObject([
    {
      port: 9080,
      portName: "http",
      workload: "default/reviews-v1",
      serviceAccount: "reviewer",
      locality: "eu/eu-1",
      labels: { app: "reviews", version: "v1", "topology.kubernetes.io/zone": "eu-1" },
    },
  ]);
  expect(model.workloads.get("default/reviews-v1")).toMatchObject({ node: "node-a", probePorts: [9080] });
});

test.each([
  ["ready", { ready: true, serving: true, terminating: false }, 1],
  ["not ready", { ready: false, serving: false, terminating: false }, 0],
  ["draining", { ready: false, serving: true, terminating: true }, 0],
])("an endpoint that is %s", (_, conditions, count) => {
  const endpoints = [{ addresses: ["10.1.0.1"], conditions }];
  expect(placesOf(ofService(), ofSlice({ endpoints }))).toHaveLength(count);
});

test("a service that publishes what is not ready keeps what Kubernetes calls ready though it ends", () => {
  const service = ofService({ publishNotReadyAddresses: true });
  const endpoints = [
    { addresses: ["10.1.0.1"], conditions: { ready: true, serving: true, terminating: true } },
    { addresses: ["10.1.0.2"], conditions: { ready: false } },
  ];
  expect(placesOf(service, ofSlice({ endpoints }))).toEqual(["10.1.0.1:9080", "10.1.0.2:9080"]);
});

test("an endpoint waits for the pod that its slice names", () => {
  expect(placesOf(ofService(), ofSlice())).toEqual([]);
  expect(placesOf(ofService(), ofSlice(), ofPod())).toEqual(["10.1.0.1:9080"]);
});

test("a service of several ports, to targets by name, in both families", () => {
  const service = ofService({
    clusterIPs: ["10.96.0.1", "fd00::96"],
    ports: [
      { name: "web", port: 80, targetPort: "web", appProtocol: "kubernetes.io/h2c" },
      { name: "tcp-data", port: 81, targetPort: 9091 },
    ],
  });
  // Kubernetes looks target ports up, so a slice has their numbers.
  const ports = [
    { name: "web", port: 9080, protocol: "TCP" },
    { name: "tcp-data", port: 9091, protocol: "TCP" },
  ];
  const four = ofSlice({ ports, endpoints: [{ addresses: ["10.1.0.1"] }] });
  const six = ofSlice(
    { ports, addressType: "IPv6", endpoints: [{ addresses: ["fd00::1"] }] },
    { name: "reviews-y8" },
  );
  expect(placesOf(service, four, six)).toEqual([
    "10.1.0.1:9080",
    "10.1.0.1:9091",
    "[fd00::1]:9080",
    "[fd00::1]:9091",
  ]);
  const made = build(service).services.get(hostname);
  expect(made?.addresses).toHaveLength(2);
  expect(made?.ports.map(({ protocol }) => protocol)).toEqual(["http2", "tcp"]);
});

test("a headless service has no address, and an alias is another name", () => {
  const headless = ofService({ clusterIP: "None", clusterIPs: ["None"] });
  expect(build(headless).services.get(hostname)?.addresses).toEqual([]);
  const alias = ofService(
    { type: "ExternalName", externalName: hostname, ports: undefined },
    { name: "critics" },
  );
  expect(build(headless, alias).services.get(hostname)?.aliases).toEqual([
    "critics.default.svc.cluster.local",
  ]);
});

test("core Endpoints are read as slices: each subset has its own ports", () => {
  const targetRef = { kind: "Pod", name: "reviews-v1", namespace: "default" };
  const item = {
    metadata: { name: "reviews", namespace: "default", resourceVersion: "1" },
    subsets: [
      {
        addresses: [{ ip: "10.1.0.1", nodeName: "node-a", targetRef }, { ip: "10.1.0.2" }],
        notReadyAddresses: [{ ip: "10.1.0.3" }],
        ports: [{ name: "http", port: 9080, protocol: "TCP" }],
      },
      { addresses: [{ ip: "fd00::4" }], ports: [{ name: "http", port: 9081, protocol: "TCP" }] },
    ],
  };
  const own = known("EndpointSlice", coreEndpoints, item);
  expect(placesOf(ofService(), ofPod(), own)).toEqual(["10.1.0.1:9080", "10.1.0.2:9080", "[fd00::4]:9081"]);
  expect(endpointsOf(ofService(), ofPod(), own)[0]?.labels).toEqual({ app: "reviews", version: "v1" });
  expect(
    known("EndpointSlice", coreEndpoints, { metadata: { name: "empty", namespace: "default" } }),
  ).toEqual([]);
});

test("a rule is read as one in a file; one of another revision is none of ours", () => {
  const collection = { group: "config.istio.io", version: "v1alpha2", plural: "routerules" };
  const rule = (labels: Record<string, string>, spec: object): RawObject => ({
    metadata: { name: "r", namespace: "default", labels, annotations: { "kubectl.kubernetes.io/x": "{}" } },
    spec,
  });
  const read = (item: RawObject) => project({ kind: "RouteRule", revision: "default" }, collection, item);
  const [made] = read(rule({}, { destination: { name: "reviews" }, precedence: 2 }));
  expect(made?.object).toMatchObject({ kind: "RouteRule", body: { spec: { precedence: 2 } } });
  expect(read(rule({ "istio.io/rev": "canary" }, {}))).toEqual([]);
  const [wrong] = read(rule({ "istio.io/rev": "default" }, { precedence: 1 }));
  expect(wrong?.problems).toMatchObject([
    { object: "RouteRule default/r", field: "spec.destination", location: { file: "kubernetes" } },
  ]);
});
