import { MutualTls } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { ModelBuilder } from "./model-builder.ts";
import { parseObject } from "./parse-object.ts";
import { PeerAuthentications } from "./peer-authentications.ts";
import { istio } from "./testing/istio-manifests.ts";
import {
  application,
  type Manifest,
  originAt,
  pod,
  read,
  UnchangedStaysTheSame,
} from "./testing/manifests.ts";

const { DISABLE, PERMISSIVE, STRICT } = MutualTls;

/** For all of its namespace, unless there are labels. */
const policy = (namespace: string, mode: string, more: object = {}, name = "default"): Manifest =>
  istio("PeerAuthentication", {
    apiVersion: "security.istio.io/v1",
    name,
    namespace,
    spec: { mtls: { mode }, ...more },
  });
const forApp = (app: string, portLevelMtls: object = {}) => ({
  selector: { matchLabels: { app } },
  portLevelMtls,
});
const build = (...manifests: Manifest[]) => new ModelBuilder().build(read(...manifests));
const modeOf = (manifests: Manifest[], app = "reviews", port = 9080): MutualTls => {
  const policies = build(...manifests).model.peerAuthentications.values();
  return new PeerAuthentications(policies, "istio-system").modeOf("default", { app }, port);
};

const mesh = policy("istio-system", "STRICT");
const workload = policy("default", "DISABLE", forApp("reviews", { 9080: { mode: "PERMISSIVE" } }), "reviews");

test.each<[string, Manifest[], MutualTls]>([
  ["nothing", [], PERMISSIVE],
  ["the mesh's", [mesh], STRICT],
  ["a mesh's that says nothing", [policy("istio-system", "UNSET")], PERMISSIVE],
  ["the namespace's before the mesh's", [mesh, policy("default", "DISABLE")], DISABLE],
  ["the mesh's where the namespace's says nothing", [mesh, policy("default", "UNSET")], STRICT],
  ["another namespace's does not count", [policy("shop", "STRICT")], PERMISSIVE],
  ["the port's before the workload's", [mesh, workload], PERMISSIVE],
  ["another workload's does not count", [policy("default", "STRICT", forApp("other"))], PERMISSIVE],
  [
    "one for labels in the root namespace does not count",
    [policy("istio-system", "STRICT", forApp("reviews"))],
    PERMISSIVE,
  ],
  [
    "the workload's where the port's says nothing",
    [policy("default", "STRICT", forApp("reviews", { 9080: {} }))],
    STRICT,
  ],
  [
    "of two the first by name, as files have no age",
    [policy("default", "STRICT", {}, "b"), policy("default", "DISABLE", {}, "a")],
    DISABLE,
  ],
])("%s", (_, manifests, mode) => {
  expect(modeOf(manifests)).toBe(mode);
});

test("other ports of a workload are as the workload is, and other workloads as their namespace", () => {
  expect([modeOf([mesh, workload], "reviews", 80), modeOf([mesh, workload], "other")]).toEqual([
    DISABLE,
    STRICT,
  ]);
});

test("what does not count, or is not kept by all, is said", () => {
  const problemsOf = (...manifests: Manifest[]) =>
    build(...manifests).problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`);
  expect(problemsOf(policy("default", "DISABLE"), policy("default", "PERMISSIVE", {}, "second"))).toEqual([
    "warning spec: has no effect: PeerAuthentication default/default is older and for the whole namespace, too",
  ]);
  expect(problemsOf(policy("istio-system", "DISABLE", forApp("a")))).toEqual([
    expect.stringContaining("warning spec.selector: has no effect in the root namespace istio-system"),
  ]);
  const check = (manifest: Manifest) =>
    parseObject(manifest, originAt("a.yaml")).problems.map(({ severity, field }) => `${severity} ${field}`);
  expect(check(policy("default", "STRICT"))).toEqual(["warning spec.mtls.mode"]);
  expect(check(policy("default", "DISABLE", { portLevelMtls: { 80: { mode: "STRICT" } } }))).toEqual([
    "error spec.portLevelMtls",
    "warning spec.portLevelMtls.80.mode",
  ]);
  expect(check(policy("default", "SOME"))).toEqual(["error spec.mtls.mode"]);
  expect(check(policy("default", "UNSET", { ...forApp("a", { 70_000: {} }) }))).toHaveLength(1);
});

test("endpoints that take clear text only are not called by mutual TLS", () => {
  const builder = new ModelBuilder();
  const source = new UnchangedStaysTheSame();
  const labels = { app: "reviews", version: "v1", "security.istio.io/tlsMode": "istio" };
  const injected = [
    ...application("reviews", ["v1"]).filter(({ kind }) => kind !== "Pod"),
    pod({ labels }),
    ...application("ratings", ["v1"], { network: 2 }),
  ];
  const endpointsOf = (...policies: Manifest[]) =>
    builder.build(source.read([...injected, ...policies])).model.endpoints;
  const host = (name: string) => `${name}.default.svc.cluster.local`;
  const before = endpointsOf();
  expect(before.get(host("reviews"))).toMatchObject([{ mutualTls: true }]);
  const disabled = endpointsOf(policy("default", "DISABLE"));
  expect(disabled.get(host("reviews"))).toMatchObject([{ mutualTls: false, workload: "default/reviews-v1" }]);
  expect(disabled.get(host("ratings"))).toBe(before.get(host("ratings")));
  expect(endpointsOf(policy("default", "DISABLE"), policy("shop", "STRICT")).get(host("reviews"))).not.toBe(
    before.get(host("reviews")),
  );
  const onePort = policy("default", "STRICT", forApp("reviews", { 9080: { mode: "DISABLE" } }));
  expect(endpointsOf(onePort).get(host("reviews"))).toMatchObject([{ mutualTls: false }]);
  expect(endpointsOf(policy("default", "STRICT")).get(host("reviews"))).toBe(before.get(host("reviews")));
});
