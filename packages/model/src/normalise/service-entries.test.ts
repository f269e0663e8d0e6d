import { Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { formatAddress } from "../address.ts";
import { ModelBuilder } from "../model-builder.ts";
import {
  application,
  type IstioFields,
  type Manifest,
  pod,
  read,
  service,
  serviceEntry,
  slice,
  workloadEntry,
} from "../testing/index.ts";

const api = "api.example.com";
function build(...manifests: Manifest[]) {
  const { model, problems } = new ModelBuilder().build(read(...manifests));
  /** "10.0.0.1:443", "name:443" */
  const endpoints = (hostname = api): string[] =>
    (model.endpoints.get(hostname) ?? []).map(
      ({ address, hostname: name, port }) => `${name === "" ? formatAddress(address) : name}:${port}`,
    );
  return { model, problems, endpoints, service: model.services.get(api) };
}
const buildOne = (spec: IstioFields["spec"], ...others: Manifest[]) =>
  build(serviceEntry({ ...(spec && { spec }) }), ...others);

test("a ServiceEntry is a service outside the mesh", () => {
  expect(build(serviceEntry({ namespace: "shop" })).service).toMatchObject({
    hostname: api,
    namespace: "shop",
    addresses: [],
    addressBlocks: [],
    ports: [{ port: 443, name: "tls", transport: "TCP", protocol: "tls" }],
    resolution: Resolution.DNS,
    meshExternal: true,
    exportedTo: [],
    identities: [],
  });
});

test.each([
  ["NONE", Resolution.PASSTHROUGH],
  ["STATIC", Resolution.STATIC],
  ["DNS", Resolution.DNS],
  ["DNS_ROUND_ROBIN", Resolution.DNS_ROUND_ROBIN],
])("resolution %s", (resolution, expected) => {
  expect(buildOne({ resolution }).service?.resolution).toBe(expected);
});

test("each host is a service", () => {
  const { model, endpoints } = buildOne({ hosts: [api, "b.example.com"] });
  expect([...model.services.keys()]).toEqual([api, "b.example.com"]);
  expect([endpoints(api), endpoints("b.example.com")]).toEqual([[`${api}:443`], ["b.example.com:443"]]);
});

test("addresses are dialled; blocks of one address are that address", () => {
  const addresses = ["10.0.0.0/8", "10.1.0.1", "10.1.0.2/32", "fd00::/64", "fd00::1/128"];
  const made = buildOne({ resolution: "NONE", addresses }).service;
  expect(made?.addresses.map(formatAddress)).toEqual(["10.1.0.1", "10.1.0.2", "fd00::1"]);
  expect(made?.addressBlocks).toEqual(["10.0.0.0/8", "fd00::/64"]);
});

test("location, visibility and identities", () => {
  const spec = { location: "MESH_INTERNAL", exportTo: [".", "b"], subjectAltNames: ["spiffe://a/b"] };
  expect(buildOne(spec).service).toMatchObject({
    meshExternal: false,
    exportedTo: ["b", "default"],
    identities: ["spiffe://a/b"],
  });
});

test.each([
  ["GRPC-WEB", "grpc-web"],
  ["Http", "http"],
  ["UDP", "udp"],
  ["", "unknown"],
])("protocol %j is %s", (protocol, expected) => {
  const ports = [{ number: 80, name: "a", protocol }];
  expect(buildOne({ ports }).service?.ports).toMatchObject([{ protocol: expected }]);
});

test("without endpoints, DNS is asked for the host, at the port's target", () => {
  const ports = [{ number: 80, name: "http", protocol: "HTTP", targetPort: 8080 }];
  expect(buildOne({ ports }).endpoints()).toEqual([`${api}:8080`]);
});

test("resolution NONE has no endpoints", () => {
  expect(buildOne({ resolution: "NONE" }).endpoints()).toEqual([]);
});

test("endpoints have addresses or names, ports, labels, weights, localities and accounts", () => {
  const endpoints = [
    { address: "10.0.0.2", ports: { tls: 8443 }, labels: { version: "v1" }, weight: 5, locality: "r/z" },
    { address: "10.0.0.1", serviceAccount: "api", labels: { "istio-locality": "a.b.c" } },
    { address: "db.example.com", weight: 0 },
  ];
  const { model } = buildOne({ endpoints });
  expect(model.endpoints.get(api)).toMatchObject([
    { hostname: "db.example.com", port: 443, weight: 1, mutualTls: false },
    { port: 443, serviceAccount: "api", namespace: "default", locality: "a/b/c", mutualTls: true },
    { port: 8443, labels: { version: "v1" }, weight: 5, locality: "r/z", workload: "" },
  ]);
});

test.each([
  ["a UNIX domain socket", { address: "unix:///sock" }, /UNIX domain sockets are not supported/],
  ["another network", { network: "n" }, /other networks are not supported/],
])("an endpoint at %s is left out, and said", (_, endpoint, message) => {
  const { endpoints, problems } = buildOne({
    resolution: "STATIC",
    endpoints: [endpoint, { address: "10.0.0.1" }],
  });
  expect(endpoints()).toEqual(["10.0.0.1:443"]);
  expect(problems).toMatchObject([
    { severity: "error", field: "spec.endpoints[0].address", message: expect.stringMatching(message) },
  ]);
});

const selecting = { resolution: "STATIC", workloadSelector: { labels: { app: "api" } } };

test("a selector chooses ready pods and WorkloadEntries of its namespace", () => {
  const labels = { app: "api" };
  const notReady = { conditions: [{ type: "Ready", status: "False" }] };
  const { endpoints, model } = buildOne(
    selecting,
    pod({ name: "p", ip: "10.2.0.9", labels: { ...labels, version: "v1" } }),
    pod({ name: "other-app", ip: "10.2.0.8", labels: { app: "b" } }),
    pod({ name: "elsewhere", ip: "10.2.0.7", namespace: "other", labels }),
    pod({ name: "late", ip: "10.2.0.6", labels, status: notReady }),
    pod({ name: "done", ip: "10.2.0.5", labels, status: { phase: "Succeeded" } }),
    workloadEntry({ spec: { ports: { tls: 9443 } } }),
    workloadEntry({ name: "by-name", spec: { address: "vm.example.com" } }),
  );
  expect(endpoints()).toEqual(["10.2.0.1:9443", "10.2.0.9:443"]);
  expect(model.endpoints.get(api)).toMatchObject([
    { workload: "default/vm", labels: { app: "api" } },
    { workload: "default/p", labels: { version: "v1" }, serviceAccount: "default" },
  ]);
});

test("labels in a WorkloadEntry's metadata win over those in its spec", () => {
  const entry = workloadEntry({
    labels: { app: "api", version: "v2" },
    spec: { labels: { app: "old", zone: "a" } },
  });
  expect(buildOne(selecting, entry).model.endpoints.get(api)).toMatchObject([
    { labels: { app: "api", version: "v2", zone: "a" } },
  ]);
});

test("a Kubernetes service has the WorkloadEntries that its selector chooses, too", () => {
  const ratings = service({
    name: "ratings",
    spec: { selector: { app: "api" } },
    ports: [{ name: "http", port: 80, targetPort: 8080 }],
  });
  const { endpoints } = build(
    ratings,
    workloadEntry(),
    slice({ service: "ratings", ports: [{ name: "http", port: 1 }] }),
  );
  expect(endpoints("ratings.default.svc.cluster.local")).toEqual(["10.1.0.1:1", "10.2.0.1:8080"]);
});

test("entries of one namespace for one host are one service", () => {
  const {
    service: made,
    endpoints,
    problems,
  } = build(
    serviceEntry({ name: "a", spec: { resolution: "STATIC", endpoints: [{ address: "10.0.0.1" }] } }),
    serviceEntry({
      name: "b",
      spec: {
        resolution: "STATIC",
        addresses: ["10.9.0.1"],
        ports: [
          { number: 80, name: "http", protocol: "HTTP" },
          { number: 443, name: "other", protocol: "TCP" },
        ],
        endpoints: [{ address: "10.0.0.2" }],
      },
    }),
  );
  expect(made).toMatchObject({
    ports: [{ port: 80 }, { port: 443, name: "tls" }],
    addresses: [{ length: 4 }],
  });
  expect(endpoints()).toEqual(["10.0.0.1:443", "10.0.0.2:80", "10.0.0.2:443"]);
  expect(problems).toEqual([]);
});

test.each([
  ["of another namespace", { namespace: "other" }, /already, in namespace default; this one does not count/],
  ["of another resolution", { name: "b", spec: { resolution: "NONE" } }, /already, of another resolution/],
])("an entry %s for the same host does not count, and is told", (_, fields, message) => {
  const { problems, service: made } = build(serviceEntry(), serviceEntry(fields));
  expect(made).toMatchObject({ namespace: "default", resolution: Resolution.DNS });
  expect(problems).toMatchObject([
    { severity: "warning", field: "spec.hosts", message: expect.stringMatching(message) },
  ]);
});

test("a Kubernetes service counts before an entry for its host", () => {
  const hosts = ["reviews.default.svc.cluster.local"];
  const { problems, model } = build(...application("reviews", ["v1"]), serviceEntry({ spec: { hosts } }));
  expect(model.services.get(hosts[0] ?? "")?.object.kind).toBe("Service");
  expect(problems).toMatchObject([{ object: "ServiceEntry default/api", severity: "warning" }]);
});
