import { expect, test } from "vitest";
import { changes, lift } from "./lift.ts";

const definition = {
  apiVersion: "apiextensions.k8s.io/v1beta1",
  kind: "CustomResourceDefinition",
  metadata: { name: "routerules.config.istio.io" },
  spec: { group: "config.istio.io", scope: "Namespaced", version: "v1alpha2", names: { kind: "RouteRule" } },
};

const deployment = {
  apiVersion: "extensions/v1beta1",
  kind: "Deployment",
  metadata: { name: "istio-pilot" },
  spec: { replicas: 1, template: { metadata: { labels: { istio: "pilot" } }, spec: {} } },
};

test("a definition gets its version as one of several, and a schema of anything", () => {
  const { version: _, ...spec } = definition.spec;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  expect(lift(definition)).toEqual({
    ...definition,
    apiVersion: "apiextensions.k8s.io/v1",
    spec: { ...spec, versions: [{ name: "v1alpha2", served: true, storage: true, schema }] },
  });
});

test("what has changed is said, and nothing else has", () => {
  const role = { apiVersion: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRole", rules: [] };
  const service = { apiVersion: "v1", kind: "Service", spec: {} };
  expect(changes([definition, definition, deployment, role, service])).toEqual([
    '2 × CustomResourceDefinition: apiVersion "apiextensions.k8s.io/v1beta1" → "apiextensions.k8s.io/v1", -spec.version, +spec.versions',
    '1 × Deployment: apiVersion "extensions/v1beta1" → "apps/v1", +spec.selector',
    '1 × ClusterRole: apiVersion "rbac.authorization.k8s.io/v1beta1" → "rbac.authorization.k8s.io/v1"',
  ]);
});
