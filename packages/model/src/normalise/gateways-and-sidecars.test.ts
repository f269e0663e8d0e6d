import { CaptureMode, OutboundPolicy, ServerTls_Mode } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { gateway, type Manifest, read, sidecar } from "../testing/index.ts";

const build = (...manifests: Manifest[]) => new ModelBuilder().build(read(...manifests)).model;

test("a Gateway has servers with ports, hosts and TLS", () => {
  const servers = [
    { port: { number: 80, name: "http", protocol: "http" }, hosts: ["*", "./a.com", "b/c.com"], name: "s" },
    {
      port: { number: 443, name: "https", protocol: "HTTPS" },
      hosts: ["*.Example.com"],
      bind: "10.0.0.1",
      tls: {
        mode: "MUTUAL",
        credentialName: "c",
        minProtocolVersion: "TLSV1_2",
        maxProtocolVersion: "TLS_AUTO",
        cipherSuites: ["x"],
      },
    },
  ];
  expect(build(gateway({ namespace: "edge", spec: { servers } })).gateways.get("edge/gw")).toMatchObject({
    name: "edge/gw",
    namespace: "edge",
    selector: { istio: "ingressgateway" },
    servers: [
      { name: "s", port: 80, portName: "http", protocol: "HTTP", hosts: ["*/*", "edge/a.com", "b/c.com"] },
      {
        port: 443,
        bind: "10.0.0.1",
        hosts: ["*/*.example.com"],
        tls: {
          mode: ServerTls_Mode.MUTUAL,
          credentialNames: ["c"],
          minProtocolVersion: "TLSV1_2",
          maxProtocolVersion: "",
          cipherSuites: ["x"],
        },
      },
    ],
  });
});

test("a Sidecar has what it imports, where it listens, and what it does with unknown hosts", () => {
  const spec = {
    workloadSelector: { labels: { app: "a" } },
    egress: [
      {
        port: { number: 9080, protocol: "http", name: "e" },
        bind: "0.0.0.0",
        captureMode: "NONE",
        hosts: ["./*"],
      },
      { hosts: ["*/*", "~/*", "other/a.b"] },
    ],
    ingress: [
      {
        port: { number: 80, protocol: "HTTP" },
        defaultEndpoint: "127.0.0.1:8080",
        connectionPool: { http: { maxRetries: 1 } },
      },
    ],
    outboundTrafficPolicy: {},
    inboundConnectionPool: { tcp: { maxConnections: 5 } },
  };
  expect(build(sidecar({ namespace: "shop", spec })).sidecarScopes.get("shop/default")).toMatchObject({
    namespace: "shop",
    workloadLabels: { app: "a" },
    egress: [
      {
        port: 9080,
        portName: "e",
        protocol: "HTTP",
        bind: "0.0.0.0",
        captureMode: CaptureMode.NONE,
        hosts: ["shop/*"],
      },
      { port: 0, hosts: ["*/*", "~/*", "other/a.b"] },
    ],
    ingress: [{ port: 80, defaultEndpoint: "127.0.0.1:8080", connectionPool: { maxRetries: 1 } }],
    outboundPolicy: OutboundPolicy.REGISTRY_ONLY,
    inboundConnectionPool: { maxConnections: 5 },
  });
  expect(build(sidecar()).sidecarScopes.get("default/default")?.outboundPolicy).toBe(
    OutboundPolicy.UNSPECIFIED,
  );
});

test("Sidecars are asked by age", () => {
  const scopes = build(
    sidecar({ name: "b" }),
    sidecar({ name: "a", creationTimestamp: "2025-01-01T00:00:00Z" }),
    sidecar({ name: "z", creationTimestamp: "2024-01-01T00:00:00Z" }),
  ).sidecarScopes;
  expect([...scopes.keys()]).toEqual(["default/b", "default/z", "default/a"]);
});
