import { expect, test } from "vitest";
import { formatEndpoint } from "../address.ts";
import { ModelBuilder } from "../model-builder.ts";
import { type Manifest, pod, read, type SliceFields, service, slice } from "../testing/manifests.ts";

/** Endpoints of service reviews. */
function build(...manifests: Manifest[]) {
  const { model, problems } = new ModelBuilder().build(read(service(), ...manifests));
  return { endpoints: model.endpoints.get("reviews.default.svc.cluster.local") ?? [], problems };
}

const addressesOf = (...manifests: Manifest[]): string[] =>
  build(...manifests).endpoints.map(({ address, port }) => formatEndpoint(address, port));

const withConditions = (conditions: SliceFields["labels"], spec = {}): string[] => {
  const own = slice({ endpoints: [{ addresses: ["10.1.0.1"], conditions }] });
  const { model } = new ModelBuilder().build(read(service({ spec }), own));
  return [...model.endpoints.values()].flat().map(({ workload }) => workload);
};

test.each([
  ["nothing said", undefined, 1],
  ["ready", { ready: true }, 1],
  ["not known", { ready: null }, 1],
  ["not ready", { ready: false }, 0],
  ["terminating", { ready: true, terminating: true }, 0],
  ["terminating and serving", { ready: false, serving: true, terminating: true }, 0],
])("an endpoint that is %s", (_, conditions, count) => {
  expect(withConditions(conditions)).toHaveLength(count);
});

test("publishNotReadyAddresses takes what is not ready, and not what ends", () => {
  const spec = { publishNotReadyAddresses: true };
  expect(withConditions({ ready: false }, spec)).toHaveLength(1);
  expect(withConditions({ ready: false, terminating: true }, spec)).toHaveLength(0);
});

test("where callers stay with an endpoint, one that ends and serves drains; so does one that is labelled so", () => {
  const session = { "istio.io/persistent-session": "cookie:/path" };
  const endpoints = [
    { addresses: ["10.1.0.1"], conditions: { ready: false, serving: true, terminating: true } },
    { addresses: ["10.1.0.2"], conditions: { ready: false, serving: false, terminating: true } },
    { addresses: ["10.1.0.3"] },
    { addresses: ["10.1.0.4"] },
  ];
  const labelled = pod({ name: "leaving", ip: "10.1.0.4", labels: { "istio.io/draining": "true" } });
  const states = (labels: Record<string, string>) => {
    const { metadata, ...body } = service();
    const own = { ...body, metadata: { ...metadata, labels } };
    const { model } = new ModelBuilder().build(read(own, slice({ endpoints }), labelled));
    return [...model.endpoints.values()].flat().map(({ address, draining }) => [address[3], draining]);
  };
  expect(states(session)).toEqual([
    [1, true],
    [3, undefined],
    [4, true],
  ]);
  expect(states({})).toEqual([[3, undefined]]);
});

test("an endpoint has the labels of the pod that its slice names", () => {
  const targetRef = { kind: "Pod", name: "other", namespace: "default" };
  const { endpoints } = build(
    slice({ endpoints: [{ addresses: ["10.1.0.1"], targetRef }] }),
    pod(),
    pod({ name: "other", ip: "10.1.0.9", labels: { version: "v2" } }),
  );
  expect(endpoints).toMatchObject([{ workload: "default/other", labels: { version: "v2" } }]);
});

test("an endpoint whose pod is named and not there waits for it, whoever has the address", () => {
  const targetRef = { kind: "Pod", name: "gone" };
  const { endpoints } = build(slice({ endpoints: [{ addresses: ["10.1.0.1"], targetRef }] }), pod());
  expect(endpoints).toEqual([]);
});

test("a pod stands where its node stands, unless it says so itself", () => {
  const region = "topology.kubernetes.io/region";
  const node = (labels: SliceFields["labels"]): Manifest => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "node-a", labels },
  });
  const place = { [region]: "eu", "failure-domain.beta.kubernetes.io/zone": "eu-1" };
  expect(build(slice(), pod(), node(place)).endpoints).toMatchObject([
    {
      locality: "eu/eu-1",
      labels: {
        version: "v1",
        [region]: "eu",
        "topology.kubernetes.io/zone": "eu-1",
        "kubernetes.io/hostname": "node-a",
      },
    },
  ]);
  const own = pod({ labels: { "istio-locality": "us.us-1.rack" } });
  expect(build(slice(), own, node(place)).endpoints).toMatchObject([
    { locality: "us/us-1/rack", labels: { [region]: "us", "topology.istio.io/subzone": "rack" } },
  ]);
});

test("a node that moves takes its pods' endpoints along, and no others", () => {
  const builder = new ModelBuilder();
  const [other, ofOther] = [
    pod({ name: "b", node: "node-b", ip: "10.1.0.2" }),
    slice({ name: "b", service: "b", endpoints: ["10.1.0.2"] }),
  ];
  const rest = read(service(), slice(), pod(), service({ name: "b" }), ofOther, other);
  const node = (zone: string) =>
    read({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "node-a", labels: { "topology.kubernetes.io/zone": zone } },
    });
  const [a, b] = ["1", "2"].map((zone) => builder.build([...rest, ...node(zone)]).model.endpoints);
  const host = (name: string): string => `${name}.default.svc.cluster.local`;
  expect(a?.get(host("reviews"))).toMatchObject([{ locality: "/1" }]);
  expect(b?.get(host("reviews"))).toMatchObject([{ locality: "/2" }]);
  expect(b?.get(host("b"))).toBe(a?.get(host("b")));
});

test.each([undefined, { kind: "Node", name: "node-a" }])(
  "with targetRef %j the address tells the pod",
  (targetRef) => {
    const { endpoints } = build(slice({ endpoints: [{ addresses: ["10.1.0.1"], targetRef }] }), pod());
    expect(endpoints).toMatchObject([{ workload: "default/reviews-v1", labels: { version: "v1" } }]);
  },
);

test("an IPv6 address tells its pod, however it is written", () => {
  const { endpoints } = build(
    slice({ addressType: "IPv6", endpoints: ["fd00:0:0::1"] }),
    pod({ ip: "fd00::1" }),
  );
  expect(endpoints).toMatchObject([{ workload: "default/reviews-v1" }]);
});

test("neither a finished pod nor one on its node's network has an address of its own", () => {
  const ended = pod({ name: "a-job", status: { phase: "Succeeded" }, labels: { version: "old" } });
  const onHost = pod({ name: "a-host", spec: { hostNetwork: true }, labels: { version: "host" } });
  for (const others of [
    [ended, onHost, pod()],
    [pod(), onHost, ended],
  ]) {
    expect(build(slice(), ...others).endpoints).toMatchObject([{ workload: "default/reviews-v1" }]);
  }
  expect(build(slice(), ended, onHost).endpoints).toMatchObject([{ workload: "" }]);
});

test("endpoints of all slices, of both families, sorted", () => {
  expect(
    addressesOf(
      slice({ name: "v6", addressType: "IPv6", endpoints: ["fd00::1"] }),
      slice({ name: "v4", endpoints: ["10.1.0.20", "10.1.0.3"] }),
    ),
  ).toEqual(["10.1.0.3:9080", "10.1.0.20:9080", "[fd00::1]:9080"]);
});

test("an address in two slices counts once, as the slice says whose name sorts first", () => {
  const b = slice({ name: "b", endpoints: [{ addresses: ["10.1.0.1"], targetRef: { name: "p" } }] });
  const a = slice({ name: "a" });
  for (const slices of [
    [a, b],
    [b, a],
  ]) {
    expect(build(...slices, pod(), pod({ name: "p", ip: "10.1.0.9" })).endpoints).toMatchObject([
      { workload: "default/reviews-v1" },
    ]);
  }
});

test("ports are kept by name and transport; SCTP, and a port without number, are left out", () => {
  const ports = [
    { name: "http", port: 9080 },
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "sctp", port: 1, protocol: "SCTP" },
    { name: "all", port: null },
    { name: null, port: 80 },
  ];
  const { endpoints } = build(slice({ ports }));
  expect(endpoints.map(({ portName, port, transport }) => `${portName} ${port}/${transport}`)).toEqual([
    "dns 53/UDP",
    " 80/TCP",
    "http 9080/TCP",
  ]);
});

test("empty slices, those of another service and those of none", () => {
  const { metadata, ...rest } = slice({ name: "stray", endpoints: ["10.1.0.5"] });
  expect(
    addressesOf(
      slice({ name: "a", endpoints: null }),
      slice({ name: "b", ports: null }),
      slice({ name: "c", service: "ratings" }),
      slice({ name: "d", namespace: "other" }),
      { ...rest, metadata: { ...metadata, labels: {} } },
    ),
  ).toEqual([]);
});

test("what is no IP address is left out, and told", () => {
  const { endpoints, problems } = build(
    slice({ endpoints: ["10.1.0.1", "example.com"] }),
    slice({ name: "names", addressType: "FQDN", endpoints: ["example.com"] }),
  );
  expect(endpoints).toHaveLength(1);
  expect(problems).toMatchObject([
    { severity: "warning", object: "EndpointSlice default/names", field: "addressType" },
    {
      severity: "error",
      field: "endpoints[1].addresses",
      message: '"example.com" is no IP address; the endpoint is left out',
    },
  ]);
});
