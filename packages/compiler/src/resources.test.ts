import { fromBinary } from "@bufbuild/protobuf";
import { ModelBuilder } from "@keelson/model";
import {
  application,
  destinationRule,
  type Manifest,
  pod,
  read,
  routeRule,
  service,
  slice,
  toVersion,
} from "@keelson/model/testing";
import { policyTypeUrls } from "@keelson/protos";
import { EndpointSetSchema, Protocol, Tier } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { type Compiled, Compiler } from "./compiler.ts";
import { compile } from "./testing/compile.ts";

const ip = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

test("a service has its addresses and ports, and the tiers with their reason", () => {
  const ips = ["fd00:96::1", "10.96.0.1"];
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "http", port: 80 },
  ];
  const message = compile(
    service({ ips, ports }),
    routeRule({ route: [toVersion("v1", 50), toVersion("v2", 50)] }),
  );
  expect(message.service("reviews")).toMatchObject({
    hostname: "reviews.default.svc.cluster.local",
    namespace: "default",
    addresses: [ip(10, 96, 0, 1), ip(0xfd, 0, 0, 0x96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
    ports: [
      { port: 53, name: "dns", protocol: Protocol.UDP, wantedTier: Tier.CONNECT, tier: Tier.CONNECT },
      {
        port: 80,
        name: "http",
        protocol: Protocol.TCP,
        wantedTier: Tier.KERNEL,
        tier: Tier.RELAY,
        tierReason: message.explain("reviews", 80).why,
      },
    ],
  });
});

test("a headless service has no address", () => {
  const view = compile(service({ ips: ["None"] }), slice());
  expect(view.service("reviews").addresses).toEqual([]);
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.0.1:9080"]);
});

test("endpoints that drain are told to proxies, and never to nodes", () => {
  const { metadata, ...body } = service();
  const sticky = { ...body, metadata: { ...metadata, labels: { "istio.io/persistent-session": "cookie" } } };
  const ending = { addresses: ["10.1.0.2"], conditions: { ready: false, terminating: true } };
  const { model } = new ModelBuilder().build(read(sticky, slice({ endpoints: ["10.1.0.1", ending] })));
  const { ir, resources } = new Compiler().compile(model);
  const name = "outbound|9080||reviews.default.svc.cluster.local";
  const addresses = (endpoints: readonly { readonly address: Uint8Array }[] = []) =>
    endpoints.map(({ address }) => address);
  expect(ir.services.get("reviews.default.svc.cluster.local")?.keepsSessions).toBe(true);
  const set = ir.endpointSets.get(name);
  expect(addresses(set?.endpoints)).toEqual([ip(10, 1, 0, 1)]);
  expect(addresses(set?.draining)).toEqual([ip(10, 1, 0, 2)]);
  const told = fromBinary(
    EndpointSetSchema,
    resources.get(policyTypeUrls.endpointSet)?.get(name)?.body ?? new Uint8Array(),
  );
  expect([addresses(told.endpoints), told.draining]).toEqual([[ip(10, 1, 0, 1)], []]);
});

test("endpoints of both families are in one set, with what tells the version", () => {
  const view = compile(
    service(),
    slice(),
    slice({ name: "v6", addressType: "IPv6", endpoints: ["fd00::1"] }),
    pod({ labels: { version: "v1", app: "reviews", secret: "x" } }),
  );
  const [set] = view.service("reviews").ports.flatMap(({ destinations }) => destinations);
  expect(view.endpoints(set?.endpointSet ?? "")).toMatchObject([
    {
      address: ip(10, 1, 0, 1),
      port: 9080,
      weight: 1,
      workload: "default/reviews-v1",
      labels: ["app=reviews", "version=v1"],
    },
    { address: { length: 16 }, workload: "", labels: [] },
  ]);
});

test("a workload goes to its own node only", () => {
  const view = compile(pod({ labels: { b: "2", a: "1" }, spec: { serviceAccountName: "reviewer" } }));
  const resource = view.compiled.resources.get(policyTypeUrls.workload)?.get("default/reviews-v1");
  expect(resource?.node).toBe("node-a");
  expect(view.workload("default/reviews-v1")).toMatchObject({
    name: "default/reviews-v1",
    namespace: "default",
    addresses: [ip(10, 1, 0, 1)],
    node: "node-a",
    serviceAccount: "reviewer",
    uid: "uid-reviews-v1",
    labels: [
      { key: "a", value: "1" },
      { key: "b", value: "2" },
    ],
  });
});

test("services and sets go to every node", () => {
  const { resources } = compile(...application()).compiled;
  for (const typeUrl of [policyTypeUrls.service, policyTypeUrls.endpointSet]) {
    expect([...(resources.get(typeUrl)?.values() ?? [])].map(({ node }) => node)).toEqual([undefined]);
  }
});

/** Names of the resources that `after` does not share with `before`. */
function changed(before: Compiled, after: Compiled): string[] {
  return [...after.resources].flatMap(([typeUrl, byName]) =>
    [...byName]
      .filter(([name, one]) => before.resources.get(typeUrl)?.get(name) !== one)
      .map(([name]) => name),
  );
}

test("only what depends on a change is made again", () => {
  const [builder, compiler] = [new ModelBuilder(), new Compiler()];
  const base = read(...application("ratings", ["v1"], { network: 2 }), service(), pod());
  const step = (...manifests: Manifest[]) =>
    compiler.compile(builder.build([...base, ...read(...manifests)]).model);
  const first = step(slice());
  const second = step(slice({ endpoints: ["10.1.0.1", "10.1.0.2"] }));
  expect(changed(first, second)).toEqual([expect.stringMatching(/^outbound\|9080\|\|reviews\.default/)]);
  const third = step(slice({ endpoints: ["10.1.0.1", "10.1.0.2"] }), routeRule({ route: [toVersion("v1")] }));
  expect(changed(second, third).sort()).toEqual([
    expect.stringMatching(/^outbound\|9080\|version=v1\|reviews\.default/),
    "reviews.default.svc.cluster.local",
  ]);
});

test("a change of endpoints makes nothing of the routes again; one of a policy that they name does", () => {
  const [builder, compiler] = [new ModelBuilder(), new Compiler()];
  const elsewhere = application("ratings", ["v1"], { network: 2 });
  const rule = routeRule({ route: [toVersion("v1", 50), toVersion("v2", 50)] });
  const other = pod({ name: "reviews-v1-b", ip: "10.1.0.2" });
  const base = read(...elsewhere, service(), pod(), other, rule);
  const step = (...manifests: Manifest[]) =>
    compiler.compile(builder.build([...base, ...read(...manifests)]).model);
  const first = step(slice());
  const second = step(slice({ endpoints: ["10.1.0.1", "10.1.0.2"] }));
  expect(changed(first, second)).toEqual([
    expect.stringMatching(/^outbound\|9080\|version=v1\|reviews\.default/),
  ]);
  const third = step(
    slice({ endpoints: ["10.1.0.1", "10.1.0.2"] }),
    destinationRule({ spec: { trafficPolicy } }),
  );
  expect(changed(second, third)).toEqual(["reviews.default.svc.cluster.local"]);
});

const trafficPolicy = { outlierDetection: { consecutive5xxErrors: 2 } };

/** A ServiceEntry, whose endpoints are a part of the object itself. */
const entryWith = (address: string): Manifest => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "example" },
  spec: {
    hosts: ["example.com"],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    resolution: "STATIC",
    endpoints: [{ address }],
  },
});

test("what another object says just as well stays the same message", () => {
  const [builder, compiler] = [new ModelBuilder(), new Compiler()];
  const [first, second, third] = ["10.1.0.1", "10.1.0.2", "10.1.0.2"].map(
    (address) => compiler.compile(builder.build(read(entryWith(address))).model).ir,
  );
  expect(first?.services.get("example.com")).toBeDefined();
  expect(second?.services.get("example.com")).toBe(first?.services.get("example.com"));
  const set = "outbound|80||example.com";
  expect(second?.endpointSets.get(set)).not.toEqual(first?.endpointSets.get(set));
  expect(third?.endpointSets.get(set)).toBe(second?.endpointSets.get(set));
});

test("explaining what is not there gives nothing", () => {
  expect(compile(service()).compiled.explain("ratings.default.svc.cluster.local")).toBeUndefined();
});
