import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { gateway, kubernetesGateway, type Manifest, read } from "../testing/index.ts";

/** A ReferenceGrant in namespace certs, to Gateways of default and all its Secrets unless told otherwise. */
const grant = (from: object = {}, to: object = {}): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1beta1",
  kind: "ReferenceGrant",
  metadata: { name: "grant", namespace: "certs" },
  spec: {
    from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "default", ...from }],
    to: [{ group: "", kind: "Secret", ...to }],
  },
});

const named = (certificateRefs: object[]): Manifest =>
  kubernetesGateway({
    spec: { listeners: [{ name: "https", port: 443, protocol: "HTTPS", tls: { certificateRefs } }] },
  });

function credentialsOf(...manifests: Manifest[]) {
  const { model, problems } = new ModelBuilder().build(read(...manifests));
  const names = [...model.gateways.values()].flatMap(({ servers }) => servers[0]?.tls?.credentialNames ?? []);
  return {
    names,
    problems: problems.map(({ severity, field, message }) => `${severity} ${field} ${message}`),
  };
}

test("a Gateway names several certificates of its own namespace", () => {
  expect(credentialsOf(named([{ name: "a" }, { name: "b", namespace: "default" }]))).toEqual({
    names: ["kubernetes-gateway://default/a", "kubernetes-gateway://default/b"],
    problems: [],
  });
});

test.each([
  ["no grant", []],
  ["a grant to routes", [grant({ kind: "HTTPRoute" })]],
  ["a grant to another namespace", [grant({ namespace: "other" })]],
  ["a grant of another Secret", [grant({}, { name: "b" })]],
  ["a grant of another kind", [grant({}, { kind: "ConfigMap" })]],
])("with %s a certificate of another namespace is an invalid one", (_, grants) => {
  const { names, problems } = credentialsOf(named([{ name: "a", namespace: "certs" }]), ...grants);
  expect(names).toEqual(["invalid://"]);
  expect(problems).toEqual([
    expect.stringMatching(/^error spec\.listeners\[0\]\.tls\.certificateRefs\[0\] .*ReferenceGrant/),
  ]);
});

test.each([
  ["all Secrets", grant()],
  ["the Secret", grant({}, { name: "a" })],
])("a grant of %s opens another namespace", (_, granted) => {
  const { names, problems } = credentialsOf(named([{ name: "a", namespace: "certs" }]), granted);
  expect([names, problems]).toEqual([["kubernetes-gateway://certs/a"], []]);
});

test("Istio's Gateways cannot name more than those of the Gateway API", () => {
  const written = (credentialName: string) => {
    const port = { number: 443, name: "https", protocol: "HTTPS" };
    const tls = { mode: "SIMPLE", credentialName };
    return gateway({ namespace: "default", spec: { servers: [{ port, hosts: ["*"], tls }] } });
  };
  expect(credentialsOf(written("kubernetes-gateway://default/a")).names).toEqual([
    "kubernetes-gateway://default/a",
  ]);
  expect(credentialsOf(written("kubernetes-gateway://certs/a"), grant()).problems).toEqual([]);
  expect(credentialsOf(written("kubernetes-gateway://certs/a"))).toEqual({
    names: ["invalid://"],
    problems: [expect.stringContaining("ReferenceGrant")],
  });
  // Who may have these is decided when they are asked for.
  expect(credentialsOf(written("kubernetes://certs/a")).names).toEqual(["kubernetes://certs/a"]);
});

test("what holds no certificate is an error, and so is no certificate", () => {
  expect(credentialsOf(named([{ name: "a", kind: "ConfigMap" }]))).toMatchObject({
    names: ["invalid://"],
    problems: [expect.stringContaining("certificateRefs[0].kind ConfigMap holds no certificates")],
  });
  expect(credentialsOf(named([]))).toMatchObject({
    names: ["invalid://"],
    problems: [expect.stringContaining("needs a certificate")],
  });
});
