// A real Envoy as a gateway sends what comes from outside where its rules say, in both variants of ADS.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { EnvoyWorld, httpService, istioObject, podsBehind } from "../envoy/envoy-world.ts";
import { ask, backendOf } from "../envoy/rules/ask.ts";
import { startEchoBackend } from "../envoy/rules/echo-backend.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type AdsVariant, adsVariants } from "../peers/plain-envoy.ts";
import { freePort } from "../world/free-port.ts";
import { until } from "../world/until.ts";

const node = {
  id: "router~127.0.0.1~edge.default~default.svc.cluster.local",
  metadata: { LABELS: { istio: "edge" } },
};

/** Servers of a Gateway, on ports of the loopback interface. */
function gateway(ports: { readonly http: number; readonly redirect: number; readonly tcp: number }) {
  const server = (number: number, name: string, protocol: string, hosts: readonly string[]) => ({
    port: { number, name, protocol },
    bind: "127.0.0.1",
    hosts,
  });
  return istioObject("Gateway", "edge", {
    selector: { istio: "edge" },
    servers: [
      server(ports.http, "http", "HTTP", ["shop.example.com", "*.test"]),
      { ...server(ports.redirect, "redirect", "HTTP", ["*"]), tls: { httpsRedirect: true } },
      server(ports.tcp, "tcp", "TCP", ["*"]),
    ],
  });
}

const to = (host: string) => [{ destination: { host } }];

const rules = (tcpPort: number) => [
  istioObject("VirtualService", "shop", {
    hosts: ["shop.example.com"],
    gateways: ["edge"],
    http: [
      { match: [{ uri: { prefix: "/ratings/" } }], rewrite: { uri: "/" }, route: to("ratings") },
      { match: [{ uri: { exact: "/" } }], route: to("reviews") },
    ],
    tcp: [{ match: [{ port: tcpPort }], route: to("ratings") }],
  }),
  istioObject("VirtualService", "test", {
    hosts: ["a.test"],
    gateways: ["edge"],
    http: [{ route: to("ratings") }],
  }),
];

async function startEdge(variant: AdsVariant) {
  await using stack = new AsyncDisposableStack();
  const reviews = stack.use(await startEchoBackend("reviews", "127.0.0.2"));
  const ratings = stack.use(await startEchoBackend("ratings", "127.0.0.3"));
  const ports = { http: await freePort(), redirect: await freePort(), tcp: await freePort() };
  const objects = [
    httpService("reviews", 80),
    ...podsBehind("reviews", [reviews]),
    httpService("ratings", 80),
    ...podsBehind("ratings", [ratings]),
    gateway(ports),
    ...rules(ports.tcp),
  ];
  const world = stack.use(await EnvoyWorld.start(variant, objects, node));
  await until(async () => (await ask({ port: ports.http, headers: { host: "a.test" } })).status === 200, {
    what: "an answer through the gateway",
  });
  return { world, ports, stack: stack.move() };
}

describe.each(adsVariants)("over %s", (_, variant) => {
  let edge: Awaited<ReturnType<typeof startEdge>>;

  beforeAll(async () => {
    if ((await missingPeers("envoy")) === undefined) edge = await startEdge(variant);
  });
  afterAll(async () => {
    await edge?.stack.disposeAsync();
  });

  peerTest(["envoy"], "hosts and paths lead to their services, others to nothing", async () => {
    const answer = async (host: string, path: string) => {
      const got = await ask({ port: edge.ports.http, path, headers: { host } });
      return [backendOf(got), got.echo?.url];
    };
    expect(await answer("shop.example.com", "/")).toEqual(["reviews", "/"]);
    expect(await answer("shop.example.com:80", "/")).toEqual(["reviews", "/"]);
    expect(await answer("shop.example.com", "/ratings/7")).toEqual(["ratings", "/7"]);
    expect(await answer("shop.example.com", "/elsewhere")).toEqual(["status 404", undefined]);
    expect(await answer("a.test", "/anything")).toEqual(["ratings", "/anything"]);
    expect(await answer("b.test", "/")).toEqual(["status 404", undefined]);
    expect(await answer("reviews.default.svc.cluster.local", "/")).toEqual(["status 404", undefined]);
  });

  peerTest(["envoy"], "a server may send everyone to HTTPS", async () => {
    const { status, headers } = await ask({
      port: edge.ports.redirect,
      path: "/a?b=c",
      headers: { host: "shop.example.com" },
    });
    expect([status, headers.location]).toEqual([301, "https://shop.example.com/a?b=c"]);
  });

  peerTest(["envoy"], "connections of a TCP server go where a rule sends them", async () => {
    expect(backendOf(await ask({ port: edge.ports.tcp, headers: { host: "any" } }))).toBe("ratings");
  });

  peerTest(["envoy"], "a changed rule is followed, and nothing was refused", async () => {
    await edge.world.config.write("more", [
      istioObject("VirtualService", "more", {
        hosts: ["b.test"],
        gateways: ["edge"],
        http: [{ route: to("reviews") }],
      }),
    ]);
    const answer = () => ask({ port: edge.ports.http, headers: { host: "b.test" } });
    await until(async () => backendOf(await answer()) === "reviews", { what: "reviews behind b.test" });
    expect(await edge.world.rejections()).toEqual({});
  });
});
