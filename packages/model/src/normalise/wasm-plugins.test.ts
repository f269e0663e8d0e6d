import { Extension_Phase as Phase } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { parseObject } from "../parse-object.ts";
import { istio, type Manifest, originAt, read } from "../testing/index.ts";

const plugin = (spec: object, name = "auth"): Manifest =>
  istio("WasmPlugin", {
    apiVersion: "extensions.istio.io/v1alpha1",
    name,
    namespace: "shop",
    spec: { url: "oci://example.com/auth:1", ...spec },
  });
const build = (...manifests: Manifest[]) => [
  ...new ModelBuilder().build(read(...manifests)).model.extensions.values(),
];
const problemsOf = (manifest: Manifest) =>
  parseObject(manifest, originAt("a.yaml")).problems.map(({ severity, field }) => `${severity} ${field}`);

test("a WasmPlugin is an extension", () => {
  const env = [
    { name: "A", value: "1" },
    { name: "B", valueFrom: "HOST" },
  ];
  const spec = {
    selector: { matchLabels: { app: "reviews" } },
    url: "example.com/auth:1",
    imagePullPolicy: "Always",
    pluginConfig: { deep: { list: [1, "two"] } },
    pluginName: "root",
    phase: "AUTHN",
    priority: -3,
    vmConfig: { env },
    match: [{ mode: "CLIENT" }],
  };
  expect(build(plugin(spec))).toMatchObject([
    {
      name: "shop/auth",
      namespace: "shop",
      workloadLabels: { app: "reviews" },
      phase: Phase.AUTHN,
      priority: -3,
      forClients: true,
      forServers: false,
      url: "oci://example.com/auth:1",
      rootId: "root",
      configuration: '{"deep":{"list":[1,"two"]}}',
      pullPolicy: "Always",
      environment: { A: "1" },
      hostEnvironment: ["B"],
    },
  ]);
});

test("without a choice it is for both sides, and the highest priority comes first", () => {
  const all = build(
    plugin({}, "a"),
    plugin({ priority: 5 }, "b"),
    plugin({ match: [{ mode: "SERVER" }] }, "c"),
  );
  expect(all.map(({ name, forClients, forServers }) => [name, forClients, forServers])).toEqual([
    ["shop/b", true, true],
    ["shop/a", true, true],
    ["shop/c", false, true],
  ]);
});

test.each<[object, string]>([
  [{ targetRefs: [{ kind: "Gateway", name: "a" }] }, "error spec.targetRefs"],
  [{ targetRef: { kind: "Gateway", name: "a" } }, "error spec.targetRef"],
  [{ type: "NETWORK" }, "error spec.type"],
  [{ match: [{ ports: [{ number: 80 }] }] }, "error spec.match[0].ports"],
  [{ url: "http://[" }, "error spec.url"],
  [{ sha256: "xyz" }, "error spec.sha256"],
  [{ failStrategy: "FAIL_OPEN" }, "warning spec.failStrategy"],
  [{ imagePullSecret: "s" }, "warning spec.imagePullSecret"],
  [{ verificationKey: "k" }, "warning spec.verificationKey"],
  [{ unknown: 1 }, "error spec.unknown"],
])("%o is named", (spec, problem) => {
  expect(problemsOf(plugin(spec))).toEqual([problem]);
});

test.each(["EnvoyFilter", "TrafficExtension"])("kind %s is named as without effect", (kind) => {
  const { problems } = parseObject({ ...plugin({}), kind }, originAt("a.yaml"));
  expect(problems).toMatchObject([
    {
      severity: "warning",
      message: expect.stringContaining(`kind ${kind} is not read and has no effect`) as string,
    },
  ]);
});
