import { OutboundPolicy } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { defaultMesh } from "./mesh.ts";
import { readMeshConfig } from "./mesh-config.ts";
import { originAt } from "./testing/index.ts";

const readMesh = (value: unknown) => readMeshConfig(value, originAt("mesh.yaml"), "cluster.local");
const problemsOf = (value: unknown): string[] =>
  readMesh(value).problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`);

test.each([undefined, null, {}])("%j is the defaults", (value) => {
  expect(readMesh(value)).toEqual({ value: defaultMesh("cluster.local"), problems: [] });
});

test("fields replace the defaults, in either spelling", () => {
  const written = {
    trustDomain: "td",
    rootNamespace: "root",
    proxy_listen_port: 1,
    proxyInboundListenPort: 2,
    connectTimeout: "1.5s",
    outboundTrafficPolicy: { mode: "REGISTRY_ONLY" },
    accessLogFile: "/dev/stdout",
    accessLogEncoding: "JSON",
    accessLogFormat: "%PROTOCOL%",
    protocolDetectionTimeout: "100ms",
    enableAutoMtls: false,
    dnsRefreshRate: "5s",
  };
  expect(readMesh(written)).toMatchObject({
    problems: [],
    value: {
      trustDomain: "td",
      rootNamespace: "root",
      proxyListenPort: 1,
      proxyInboundListenPort: 2,
      connectTimeoutMs: 1500n,
      outboundPolicy: OutboundPolicy.REGISTRY_ONLY,
      accessLogFile: "/dev/stdout",
      accessLogJson: true,
      accessLogFormat: "%PROTOCOL%",
      protocolDetectionTimeoutMs: 100n,
      enableAutoMtls: false,
      dnsRefreshRateMs: 5000n,
      domain: "cluster.local",
    },
  });
});

test("what only proxies of Istio 0.2 to 0.7 know is read beside it", () => {
  const written = {
    mixerAddress: "istio-mixer:15004",
    disablePolicyChecks: true,
    egressProxyAddress: "",
    proxyListenPort: 0,
    proxyHttpPort: 15_002,
    connectTimeout: "2s",
    authPolicy: "MUTUAL_TLS",
    rdsRefreshDelay: "30s",
    enableTracing: false,
    accessLogFile: "",
  };
  const { value, problems } = readMesh(written);
  expect(problems).toEqual([]);
  expect(value).toMatchObject({
    proxyListenPort: 15_001,
    legacy: {
      mixerAddress: "istio-mixer:15004",
      disablePolicyChecks: true,
      egressProxyAddress: "",
      proxyListenPort: 0,
      proxyHttpPort: 15_002,
      connectTimeoutMs: 2000n,
      mutualTls: true,
      rdsRefreshDelayMs: 30_000n,
      enableTracing: false,
      accessLogFile: "",
    },
  });
});

test("an address of a proxy needs a port", () => {
  expect(problemsOf({ mixerAddress: "istio-mixer" })).toEqual([
    'error mixerAddress: is neither empty nor host:port (found "istio-mixer"); the default counts',
  ]);
});

test("a policy without a mode is REGISTRY_ONLY, as in Istio", () => {
  expect(readMesh({ outboundTrafficPolicy: {} }).value.outboundPolicy).toBe(OutboundPolicy.REGISTRY_ONLY);
});

test("a bad value leaves its field at the default, and the others count", () => {
  const { value } = readMesh({ connectTimeout: "soon", trustDomain: "td" });
  expect(value).toMatchObject({ connectTimeoutMs: 10_000n, trustDomain: "td" });
  expect(problemsOf({ connectTimeout: "soon" })).toEqual([
    expect.stringMatching(
      /^error connectTimeout: is not a duration .* \(found "soon"\); the default counts$/,
    ),
  ]);
});

test("what is known and idle, and what is not known, is told; what agents read is not", () => {
  expect(
    problemsOf({
      mixerCheckServer: "a:1",
      trustDomian: "td",
      zzz: 1,
      defaultConfig: {},
      enablePrometheusMerge: true,
    }),
  ).toEqual([
    "warning mixerCheckServer: has no effect: it is not supported yet",
    'warning trustDomian: is not known, and has no effect; did you mean "trustDomain"?',
    "warning zzz: is not known, and has no effect",
  ]);
});

test.each(["text", [1], 7])("%j is no settings", (value) => {
  expect(problemsOf(value)).toEqual(["error : is no map of settings; the defaults count"]);
});
