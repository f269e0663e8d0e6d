import { create, type JsonObject } from "@bufbuild/protobuf";
import { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { noCredentials } from "@keelson/model";
import { type PolicyIr, policyTypeUrls } from "@keelson/protos";
import { expect, test } from "vitest";
import { anEndpointSet, anIr, aService, aWorkload } from "../envoy/testing/builders.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import type { PeerNode } from "../server/peer-node.ts";
import { named, resource } from "../testing/resources.ts";
import { isApplier, isProxyless, type PolicySnapshot, PolicyViews } from "./policy-views.ts";

const peer = (id: string, name = "", metadata: JsonObject = {}): PeerNode => ({
  id,
  name,
  message: create(NodeSchema, { id, metadata }),
});
const sidecar = peer("sidecar~10.244.0.2~client.default~default.svc.cluster.local", "node-a");
const applier = peer("bpf-applier~node-a", "node-a");

const policyViews = () => new PolicyViews({ namespaceOf: () => undefined, onWithheld: () => undefined });
const reviews = "reviews.default.svc.cluster.local";
const set = `outbound|80||${reviews}`;
const ports = [{ name: "http", port: 80 }];
const irWith = (address: string): PolicyIr =>
  anIr({
    services: [aService("reviews", { ports })],
    endpointSets: [anEndpointSet(set, [{ address }])],
    workloads: [aWorkload("default/client")],
  });

const snapshotOf = (version: number, ir: PolicyIr): PolicySnapshot => ({
  version: BigInt(version),
  ir,
  credentials: noCredentials,
  resources: new Map([[policyTypeUrls.workload, named([resource("w", "w", "node-a"), resource("all")])]]),
});

test("a peer gets the policy's types as a kernel node, and Envoy's as a proxy", () => {
  const views = policyViews();
  const view = views.viewOf(sidecar, snapshotOf(1, irWith("10.244.0.9")));
  expect([...view.resources(policyTypeUrls.workload).keys()].sort()).toEqual(["all", "w"]);
  expect([...view.resources(envoyTypeUrls.endpoint).keys()]).toEqual([set]);
  expect(view.lookup?.(envoyTypeUrls.route, "9999")?.name).toBe("9999");
  expect(view.lookup?.(policyTypeUrls.workload, "9999")).toBeUndefined();
  expect(view.resources("type.test/Unknown").size).toBe(0);
});

test("a view is the same object as long as nothing of what it was asked for changes", () => {
  const views = policyViews();
  const { cluster, endpoint } = envoyTypeUrls;
  const ir = irWith("10.244.0.9");
  const before = views.viewOf(sidecar, snapshotOf(1, ir));
  const [clusters, endpoints] = [before.resources(cluster), before.resources(endpoint)];
  expect(views.viewOf(sidecar, snapshotOf(2, ir))).toBe(before);
  const endpointSets = new Map([[set, anEndpointSet(set, [{ address: "10.244.0.10" }])]]);
  const changed = views.viewOf(sidecar, snapshotOf(3, { ...ir, endpointSets }));
  expect(changed).not.toBe(before);
  expect(changed.resources(cluster)).toBe(clusters);
  expect(changed.resources(endpoint)).not.toBe(endpoints);
  expect(before.resources(endpoint)).toBe(endpoints);
});

test("a kernel node's view does not depend on what proxies get", () => {
  const views = policyViews();
  const own = views.viewOf(applier, snapshotOf(1, irWith("10.244.0.9")));
  const list = own.resources(policyTypeUrls.workload);
  expect(views.viewOf(applier, snapshotOf(2, irWith("10.244.0.10")))).toBe(own);
  expect(own.resources(policyTypeUrls.workload)).toBe(list);
  const later = { ...snapshotOf(3, irWith("10.244.0.10")), resources: new Map() };
  expect(views.viewOf(applier, later).resources(policyTypeUrls.workload).size).toBe(0);
});

test("proxies never go back to what was before", () => {
  const views = policyViews();
  const old = views.viewOf(sidecar, snapshotOf(1, irWith("10.244.0.9")));
  const newer = views.viewOf(sidecar, snapshotOf(2, irWith("10.244.0.10")));
  const list = newer.resources(envoyTypeUrls.endpoint);
  // Asked for now only, so that it may be what is newest.
  expect(old.resources(envoyTypeUrls.endpoint)).toBe(list);
});

test.for([
  ["no node", undefined, "the first request of a stream has no node id"],
  ["no id", peer(""), "the first request of a stream has no node id"],
  ["an id in three parts", peer("sidecar~10.0.0.1~a"), 'node id "sidecar~10.0.0.1~a" has 3 parts'],
] as const)("%s is not let in", ([, node, reason]) => {
  expect(policyViews().check(node)).toMatchObject({
    admitted: false,
    code: "INVALID_ARGUMENT",
    reason: expect.stringContaining(reason) as string,
  });
});

test("proxies, plain Envoys and appliers are let in, and told apart", () => {
  const grpc = peer("sidecar~10.0.0.1~a.default~default.svc", "", { GENERATOR: "grpc" });
  const peers = [sidecar, peer("plain"), applier, grpc];
  expect(peers.map((each) => policyViews().check(each).admitted)).toEqual([true, true, true, true]);
  expect(peers.map(isApplier)).toEqual([false, false, true, false]);
  expect(peers.map(isProxyless)).toEqual([false, false, false, true]);
});
