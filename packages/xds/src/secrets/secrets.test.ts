import { create, fromBinary } from "@bufbuild/protobuf";
import { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { SecretSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { type Credentials, ModelBuilder, noCredentials } from "@keelson/model";
import { pair, UnchangedStaysTheSame } from "@keelson/model/testing";
import { ServerTls_Mode as Mode } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { aGateway } from "../envoy/testing/builders.ts";
import type { PeerNode } from "../server/peer-node.ts";
import { SecretViews } from "./secret-views.ts";

const builder = new ModelBuilder();
const source = new UnchangedStaysTheSame();

/** "namespace/name" → what is in it; those of ConfigMaps begin with "configmap/". */
function credentialsOf(all: Readonly<Record<string, Readonly<Record<string, string>>>>): Credentials {
  const manifests = Object.entries(all).map(([path, stringData]) => {
    const isMap = path.startsWith("configmap/");
    const [namespace, name] = path.replace("configmap/", "").split("/");
    const content = isMap ? { kind: "ConfigMap", data: stringData } : { kind: "Secret", stringData };
    return { apiVersion: "v1", metadata: { name, namespace }, ...content };
  });
  return builder.build(source.read(manifests)).credentials;
}

const tls = { "tls.crt": pair.cert, "tls.key": pair.key };
const peer = (id: string): PeerNode => ({ id, name: "", message: create(NodeSchema, { id }) });

/** A peer that somebody vouches for as a workload of `namespace`, unless that is undefined. */
function asking(
  namespace: string | undefined,
  gateways = [gateway("edge", ["kubernetes-gateway://edge/cert"])],
) {
  const withheld: string[] = [];
  const node = peer("gw");
  const views = new SecretViews({
    namespaceOf: () => namespace,
    onWithheld: (_, name, why) => withheld.push(`${name}: ${why}`),
  });
  const inputs = (credentials: Credentials) => ({ credentials, gateways: () => gateways });
  return {
    withheld,
    list: (credentials: Credentials) => views.list(node, inputs(credentials)),
    find: (name: string, credentials: Credentials) => views.find(node, name, inputs(credentials)),
  };
}

const gateway = (namespace: string, credentialNames: string[]) =>
  aGateway(`${namespace}/gw`, {
    servers: [{ port: 443, protocol: "HTTPS", tls: { mode: Mode.MUTUAL, credentialNames } }],
  });

/** What is in a resource: "certificate" or "roots R", with the name inside. */
function contentOf(resource: { readonly body: Uint8Array } | undefined): string | undefined {
  if (resource === undefined) return undefined;
  const { name, type } = fromBinary(SecretSchema, resource.body);
  const text = (value: { specifier: { value?: unknown } } | undefined) =>
    Buffer.from((value?.specifier.value ?? "") as Uint8Array).toString();
  if (type.case === "validationContext")
    return `${name}: roots ${text(type.value.trustedCa)}${text(type.value.crl)}`;
  if (type.case !== "tlsCertificate") return `${name}: ${type.case}`;
  const isRight = text(type.value.certificateChain) === pair.cert && text(type.value.privateKey) === pair.key;
  return `${name}: ${isRight ? "certificate" : "another certificate"}`;
}

const world = () =>
  credentialsOf({
    "edge/cert": { ...tls, "ca.crt": "R1" },
    "edge/apart": tls,
    "edge/apart-cacert": { cacert: "R2", crl: "-revoked" },
    "shop/cert": tls,
    "configmap/shop/roots": { "ca.crt": "R3" },
    "edge/broken": { "tls.crt": pair.cert },
  });

test.each([
  ["kubernetes://cert", "certificate"],
  ["kubernetes://edge/cert", "certificate"],
  ["kubernetes://cert-cacert", "roots R1"],
  ["kubernetes://apart-cacert", "roots R2-revoked"],
  ["kubernetes://edge/apart-cacert", "roots R2-revoked"],
  ["kubernetes-gateway://edge/cert", "certificate"],
  ["kubernetes-gateway://edge/cert-cacert", "roots R1"],
  ["configmap://shop/roots", "roots R3"],
  ["configmap://shop/roots-cacert", "roots R3"],
])(
  "a workload gets %s of its own namespace, what its Gateways name, and all roots of ConfigMaps",
  (name, content) => {
    const { find, withheld } = asking("edge");
    expect(contentOf(find(name, world()))).toBe(`${name}: ${content}`);
    expect(withheld).toEqual([]);
  },
);

test.each([
  ["kubernetes://shop/cert", "Secrets of namespace shop are not for workloads of edge"],
  ["kubernetes-gateway://edge/apart", "no Gateway of namespace edge that it serves names it"],
  ["kubernetes-gateway://shop/cert", "no Gateway of namespace edge that it serves names it"],
  ["kubernetes://nothing", "there is no Secret edge/nothing"],
  ["kubernetes://nothing-cacert", "there is no Secret edge/nothing"],
  ["configmap://shop/nothing-cacert", "there is no ConfigMap shop/nothing"],
  ["kubernetes://broken", "has neither tls.crt and tls.key, nor cert and key; found tls.crt"],
  ["kubernetes://apart-cacert/x/y", "the control plane serves kubernetes://"],
  ["kubernetes-gateway://cert", "the control plane serves kubernetes://"],
  ["configmap:///roots", "the control plane serves kubernetes://"],
  ["default", "the control plane serves kubernetes://"],
  ["invalid://", "the control plane serves kubernetes://"],
])("%s is left out, and told once", (name, why) => {
  const { find, withheld } = asking("edge");
  const credentials = world();
  expect([find(name, credentials), find(name, credentials)]).toEqual([undefined, undefined]);
  expect(withheld).toEqual([expect.stringContaining(`${name}: ${why}`)]);
});

test("who nobody vouches for gets nothing", () => {
  const { find, withheld } = asking(undefined);
  for (const name of ["kubernetes://edge/cert", "configmap://shop/roots", "kubernetes-gateway://edge/cert"])
    expect(find(name, world())).toBeUndefined();
  expect(withheld.join()).toContain("kubernetes://edge/cert: nobody vouches for who asks");
});

test("a Gateway of another namespace makes no secret its servers' own", () => {
  const elsewhere = [gateway("shop", ["kubernetes-gateway://edge/cert", "kubernetes-gateway://shop/cert"])];
  const { find } = asking("edge", elsewhere);
  expect(find("kubernetes-gateway://edge/cert", world())).toBeUndefined();
  expect(find("kubernetes-gateway://shop/cert", world())).toBeUndefined();
});

test("a Gateway may be granted a secret of another namespace", () => {
  const { find } = asking("edge", [gateway("edge", ["kubernetes-gateway://shop/cert"])]);
  expect(contentOf(find("kubernetes-gateway://shop/cert", world()))).toContain("certificate");
});

test("a secret that comes is served, and told again when it goes", () => {
  const { find, withheld } = asking("edge");
  const nothing = credentialsOf({});
  const name = "kubernetes://cert";
  expect(find(name, nothing)).toBeUndefined();
  expect(contentOf(find(name, world()))).toContain("certificate");
  expect(find(name, nothing)).toBeUndefined();
  expect(withheld).toHaveLength(2);
});

test("who asks for ever new names is remembered only so far", () => {
  const { find, withheld } = asking("edge");
  for (let i = 0; i <= 10_000; i++) find(`kubernetes://nothing-${i}`, noCredentials);
  expect(withheld).toHaveLength(10_001);
  find("kubernetes://nothing-10000", noCredentials);
  expect(withheld).toHaveLength(10_001);
  find("kubernetes://nothing-0", noCredentials);
  expect(withheld).toHaveLength(10_002);
});

test("a list holds what was asked for, as it is now", () => {
  const { find, list } = asking("edge");
  const name = "kubernetes://cert-cacert";
  const withRoots = (text: string) => credentialsOf({ "edge/cert": { "ca.crt": text } });
  expect(list(noCredentials).size).toBe(0);
  expect(find(name, noCredentials)).toBeUndefined();
  expect([...list(withRoots("1"))].map(([, resource]) => contentOf(resource))).toEqual([`${name}: roots 1`]);
  expect([...list(withRoots("2"))].map(([, resource]) => contentOf(resource))).toEqual([`${name}: roots 2`]);
  expect(list(withRoots("2")).get(name)).toBe(find(name, withRoots("2")));
  expect(list(noCredentials).size).toBe(0);
});

test("lists and resources are the same objects as long as nothing that the peer may have changes", () => {
  const { list, find } = asking("edge", [gateway("edge", ["kubernetes-gateway://named/cert"])]);
  const content = { "edge/cert": tls, "named/cert": tls, "shop/cert": tls };
  const before = credentialsOf(content);
  const [first, resource] = [list(before), find("kubernetes://cert", before)];
  expect(first.size).toBe(0);
  const elsewhere = credentialsOf({ ...content, "shop/cert": { ...tls, "ca.crt": "R" } });
  expect(list(elsewhere)).toBe(first);
  expect(find("kubernetes://cert", elsewhere)).toBe(resource);
  for (const path of ["edge/other", "named/cert", "configmap/shop/roots"]) {
    const changed = list(credentialsOf({ ...content, [path]: { "ca.crt": "R" } }));
    expect(changed, path).not.toBe(first);
  }
});
