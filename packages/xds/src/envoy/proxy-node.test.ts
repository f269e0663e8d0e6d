import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { formatAddress } from "@keelson/model";
import { expect, test } from "vitest";
import { ProxyNodeError, parseProxyNode } from "./proxy-node.ts";
import { aProxy } from "./testing/proxies.ts";
import type { Init } from "./wire.ts";

const parse = (init: Init<typeof NodeSchema>) => parseProxyNode(create(NodeSchema, init));

test("an id of Istio's form names kind, address, pod and domain", () => {
  const node = parse({ id: "router~10.0.0.1~gateway-1.edge~edge.svc.cluster.local" });
  expect(node).toMatchObject({
    kind: "router",
    plain: false,
    name: "gateway-1",
    namespace: "edge",
    domain: "edge.svc.cluster.local",
    interception: "REDIRECT",
  });
  expect(node.addresses.map(formatAddress)).toEqual(["10.0.0.1"]);
});

test("INSTANCE_IPS win over the address of the id, those that are none are left out", () => {
  const node = aProxy({ metadata: { INSTANCE_IPS: "10.0.0.7,nonsense,fd00::7" } });
  expect(node.addresses.map(formatAddress)).toEqual(["10.0.0.7", "fd00::7"]);
});

test("NAMESPACE wins over the domain's first label, which is all that is left without it", () => {
  expect(aProxy({ metadata: { NAMESPACE: "own" } }).namespace).toBe("own");
  expect(parse({ id: "sidecar~10.0.0.1~a.b~cluster.local" }).namespace).toBe("cluster");
});

test("an id without ~ is a plain Envoy that nothing redirects to", () => {
  const node = parse({ id: "my-envoy", cluster: "web" });
  expect(node).toMatchObject({ kind: "sidecar", plain: true, namespace: "default", interception: "NONE" });
  expect(node.addresses).toEqual([]);
});

test("a plain Envoy may say more of itself", () => {
  const node = parse({ id: "my-envoy", metadata: { NAMESPACE: "shop", INSTANCE_IPS: "10.0.0.2" } });
  expect(node.namespace).toBe("shop");
  expect(node.addresses).toHaveLength(1);
});

test("metadata is read leniently", () => {
  const { metadata } = aProxy({
    metadata: {
      LABELS: { app: "a", number: 1 },
      STATIC_LABELS: { app: "other", zone: "z" },
      HTTP10: "1",
      IDLE_TIMEOUT: "1h2m3s",
      HTTP_PROXY_PORT: "no number",
      INTERCEPTION_MODE: "MAGIC",
      UNPRIVILEGED_POD: true,
      PROXY_CONFIG: {},
    },
  });
  expect(metadata).toMatchObject({
    labels: { app: "a", number: "1", zone: "z" },
    http10: true,
    idleTimeoutMs: 3_723_000,
    httpProxyPort: undefined,
    interceptionMode: undefined,
    unprivileged: true,
    agent: true,
  });
});

test.each([
  ["no node at all", undefined, "has no node"],
  ["too few parts", { id: "sidecar~10.0.0.1~a.b" }, "has 3 parts"],
  ["a type that is none", { id: "toaster~10.0.0.1~a.b~c" }, 'has the type "toaster"'],
  ["no valid address", { id: "sidecar~here~a.b~c" }, "has no valid address"],
])("%s is refused", (_, init, why) => {
  const attempt = () => parseProxyNode(init && create(NodeSchema, init));
  expect(attempt).toThrow(ProxyNodeError);
  expect(attempt).toThrow(why);
});
