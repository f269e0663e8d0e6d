import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { aService } from "../envoy/testing/builders.ts";
import { UnknownRouteError } from "./discovery.ts";
import { parseServiceNode } from "./service-node.ts";
import { Answers, sidecar } from "./testing/answers.ts";
import { reviews, scene, withRules } from "./testing/scene.ts";

const of07 = (parts: ConstructorParameters<typeof Answers>[0]): Answers => new Answers(parts, { age: "0.7" });
const node = (text = sidecar()) => parseServiceNode(text, "0.7");

test("clusters are named by their keys", () => {
  const answers = of07(
    withRules({ destinations: [{ hostname: reviews, labels: { version: "v1" }, weight: 1 }] }),
  );
  expect(answers.routes()[0]?.cluster).toBe(`out.${reviews}|http|version=v1`);
});

test("routes say how long they may take, and how traces call them", () => {
  expect(of07(scene).routes()).toEqual([
    {
      prefix: "/",
      cluster: `out.${reviews}|http`,
      timeout_ms: 0,
      decorator: { operation: "default-route" },
    },
  ]);
  expect(of07(withRules({ timeoutMs: 7n })).routes()[0]).toMatchObject({
    timeout_ms: 7,
    decorator: { operation: "rule" },
  });
});

test("requests are mirrored, get headers, and answer to CORS", () => {
  const answers = of07(
    withRules({
      mirrors: [{ destination: { hostname: reviews, labels: { version: "v2" } }, percent: 100 }],
      requestHeaders: { add: { b: "2", a: "1" } },
      cors: {
        allowOrigins: [{ how: { case: "exact", value: "a.com" } }],
        allowMethods: ["GET", "POST"],
        maxAgeMs: 24_000n,
        allowCredentials: true,
      },
    }),
  );
  expect(answers.routes()[0]).toMatchObject({
    shadow: { cluster: `out.${reviews}|http|version=v2` },
    request_headers_to_add: [
      { key: "a", value: "1" },
      { key: "b", value: "2" },
    ],
    cors: {
      enabled: true,
      allow_credentials: true,
      allow_methods: "GET,POST",
      max_age: "24",
      allow_origin: ["a.com"],
    },
  });
  expect(answers.cluster(`${reviews}|http|version=v2`)).toBeDefined();
  expect(answers.discovery.gaps()).toEqual([]);
});

test("what it does not do either is told", () => {
  const regex = { how: { case: "regex" as const, value: ".*" } };
  const mirror = { destination: { hostname: reviews }, percent: 50 };
  const gaps = of07(
    withRules({
      mirrors: [mirror, mirror],
      requestHeaders: { set: { a: "b" } },
      cors: { allowOrigins: [regex] },
      redirect: { prefixRewrite: "/a", scheme: "https", code: 302 },
      rewrite: { regex: "a" },
      fault: { grpcStatus: "UNAVAILABLE", abortPercent: 1 },
      destinations: [{ hostname: reviews, requestHeaders: { remove: ["a"] } }],
    }),
  ).discovery.gaps();
  expect(
    gaps.map((gap) => gap.replace("RouteRule default/rule: proxies of Pilot 0.7 do not know ", "")),
  ).toEqual([
    "a rewrite by regular expression",
    "headers for a destination",
    "an abort with a gRPC status",
    "a redirect to another prefix",
    "a redirect to another scheme or port",
    "a redirect with status 302 in place of 301",
    "headers of requests",
    "a second mirror",
    "a mirror of a part of the requests",
    "CORS origins that are no exact names",
  ]);
});

test("0.2 says that it mirrors nothing", () => {
  const mirrors = [{ destination: { hostname: reviews }, percent: 100 }];
  const answers = new Answers(withRules({ mirrors, cors: {}, requestHeaders: { add: { a: "b" } } }));
  expect(answers.routes()[0]).not.toHaveProperty("shadow");
  expect(answers.discovery.gaps().map((gap) => gap.split("know ")[1])).toEqual([
    "headers of requests",
    "a mirror",
    "CORS",
  ]);
});

test("HTTP listeners know CORS, and Mixer's filter of 0.2 is not among them", () => {
  const answers = new Answers(scene, { age: "0.7", mesh: { mixerAddress: "mixer:1" } });
  const filters = answers.listener("http_0.0.0.0_80")?.filters[0]?.config.filters;
  expect(filters).toEqual([
    { type: "", name: "cors", config: {} },
    { type: "decoder", name: "router", config: {} },
  ]);
  expect(answers.clusters().map(({ name }) => name)).not.toContain("mixer_server");
});

test("Redis is TCP", () => {
  const ports = [{ port: 6379, name: "redis", applicationProtocol: ApplicationProtocol.REDIS }];
  expect(of07({ services: [aService("db", { ports })] }).listener("tcp_10.96.0.1_6379")).toBeDefined();
});

test("an unknown port has no hosts; another name is refused, so that proxies keep what they have", () => {
  const { discovery } = of07(scene);
  expect(discovery.routes("82", node())).toEqual({ validate_clusters: true, virtual_hosts: [] });
  for (const name of ["", "http", "8x"])
    expect(() => discovery.routes(name, node())).toThrow(UnknownRouteError);
  const router = node("router~10.1.0.1~a.default~x");
  expect(() => discovery.routes("80", router)).toThrow(UnknownRouteError);
});

test("endpoints and proxies have zones", () => {
  const { discovery } = of07(scene);
  const tagged = { ip_address: "10.1.0.1", port: 8080, tags: { az: "region/zone" } };
  expect(discovery.endpoints(`${reviews}|http`)).toEqual({
    hosts: [tagged, { ip_address: "10.1.0.2", port: 8080 }],
  });
  expect(discovery.zone(node(sidecar("10.1.0.1")))).toBe("region/zone");
  expect(discovery.zone(node(sidecar("10.1.0.2")))).toBe("");
  expect(discovery.zone(node())).toBeUndefined();
  expect(new Answers(scene).discovery.endpoints(`${reviews}|http|version=v1`)).toEqual({
    hosts: [{ ip_address: "10.1.0.1", port: 8080 }],
  });
});
