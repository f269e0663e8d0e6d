import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { application, routeRule } from "@keelson/model/testing";
import type { PolicyIr } from "@keelson/protos";
import fastify, { type FastifyInstance } from "fastify";
import { expect, test } from "vitest";
import { httpServer } from "../servers/http-server.ts";
import { TestPilot } from "../testing/test-pilot.ts";
import { addV1 } from "./add-v1.ts";
import { registerV1 } from "./register-v1.ts";
import { mockIr, nodes } from "./testing/mock-world.ts";
import type { V1ServiceOptions } from "./v1-service.ts";

const hello = "hello.default.svc.cluster.local";
const clusters = `/v1/clusters/istio-proxy/${nodes.v0}`;
const listeners = `/v1/listeners/istio-proxy/${nodes.v0}`;
const routes = (name: string): string => `/v1/routes/${name}/istio-proxy/${nodes.v0}`;

function serve(options: Partial<V1ServiceOptions> = {}, ir: () => PolicyIr | undefined = () => world) {
  const server = fastify();
  registerV1(server, ir, options);
  return server;
}

const world = mockIr();

async function ask(server: FastifyInstance, url: string) {
  const { statusCode, headers, body } = await server.inject({ url });
  return { status: statusCode, type: headers["content-type"], body };
}

const plain = "text/plain; charset=utf-8";

test("Go takes Pilot's JSON for text, but for the two answers that say what they are", async () => {
  const server = serve();
  for (const url of [`/v1/registration/${hello}|http`, clusters, listeners, routes("80")]) {
    expect(await ask(server, url)).toMatchObject({ status: 200, type: plain });
  }
  for (const url of ["/v1/registration", "/cache_stats"]) {
    expect((await ask(server, url)).type).toMatch(/^application\/json/);
  }
});

test.each([
  ["0.2", clusters.replace("~", ""), 404, "CDS unexpected service-node: missing parts"],
  ["0.2", listeners.replace("~", ""), 404, "LDS unexpected service-node: missing parts"],
  ["0.2", routes("80").replace("~", ""), 404, "RDS unexpected service-node: missing parts"],
  ["0.2", routes("82"), 200, "null"],
  ["0.2", "/v1/nothing", 404, "404: Page Not Found"],
  ["0.7", clusters.replace("sidecar", "egress"), 404, "CDS unexpected service-node: invalid node type"],
  ["0.7", routes("82"), 200, '{\n  "validate_clusters": true,\n  "virtual_hosts": []\n }'],
  ["0.7", routes("x"), 503, "RDS route names are numbers of ports or http_proxy"],
  ["0.7", `/v1/az/istio-proxy/${nodes.v0}`, 200, ""],
  [
    "0.7",
    `/v1/az/istio-proxy/${nodes.ingress}`,
    404,
    "AvailabilityZone couldn't find the given cluster node",
  ],
  ["0.7", "/v1/az/istio-proxy/x", 404, "AvailabilityZone unexpected service-node: missing parts"],
] as const)("%s answers %s with %i %s", async (age, url, status, body) => {
  const answer = await ask(serve({ age }), url);
  expect(answer).toMatchObject({ status, type: plain });
  expect(body === "" ? answer.body : answer.body.slice(0, body.length)).toBe(body);
});

test("other methods than GET are not allowed", async () => {
  const server = serve();
  for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] as const) {
    expect((await server.inject({ method, url: clusters })).statusCode).toBe(405);
  }
  expect((await server.inject({ method: "GET", url: "/cache_stats_delete" })).statusCode).toBe(404);
});

test("before the configuration was read, proxies are told to keep what they have", async () => {
  const ir: { current?: PolicyIr } = {};
  const server = serve({}, () => ir.current);
  for (const url of ["/v1/registration", `/v1/registration/${hello}`, clusters, routes("80")]) {
    expect(await ask(server, url)).toMatchObject({
      status: 503,
      body: "the configuration is still being read",
    });
  }
  ir.current = world;
  expect((await ask(server, clusters)).status).toBe(200);
});

/** What stands in the body of an answer to a request line, character for character. */
async function askRaw(server: FastifyInstance, target: string): Promise<string> {
  const { port } = new URL(await server.listen({ host: "127.0.0.1", port: 0 }));
  const socket = connect(Number(port), "127.0.0.1");
  socket.end(`GET ${target} HTTP/1.1\r\nHost: pilot\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  await server.close();
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

test.each([
  `${hello}|http|version=v1`,
  `${hello}|http|version=v1;version=v9`,
  `${hello}%7Chttp%7Cversion%3Dv1`,
  // Longer than what a router takes for one part of a path.
  `${hello}|http|${Array.from({ length: 100 }, (_, i) => `k${i}=v`).join(",")};version=v1`,
  `${hello}|http|a.io/b=c;version=v1`,
])("the key %s arrives whole, as Envoy writes it", async (key) => {
  const body = await askRaw(serve(), `/v1/registration/${key}`);
  expect(JSON.parse(body)).toEqual({ hosts: [{ ip_address: "10.1.1.1", port: 80 }] });
});

test("without a cache nothing is counted, and the answers are the same", async () => {
  const [kept, made] = [serve(), serve({ caching: false })];
  for (const url of [clusters, clusters, routes("80")])
    expect(await ask(made, url)).toEqual(await ask(kept, url));
  expect(JSON.parse((await ask(made, "/cache_stats")).body)).toEqual({ cache_stats: {} });
});

test("0.7 keeps no empty answer", async () => {
  const counted = async (age: "0.2" | "0.7") => {
    const server = serve({ age });
    for (const url of ["/v1/registration/nobody", routes("82"), clusters]) await ask(server, url);
    const { cache_stats: counts } = JSON.parse((await ask(server, "/cache_stats")).body) as {
      cache_stats: object;
    };
    return Object.keys(counts);
  };
  expect(await counted("0.7")).toEqual([clusters]);
  expect(await counted("0.2")).toEqual([clusters, "/v1/registration/nobody", routes("82")]);
});

test("refused names are neither kept nor counted", async () => {
  const server = serve();
  await ask(server, clusters.replace("~", ""));
  expect(JSON.parse((await ask(server, "/cache_stats")).body)).toEqual({ cache_stats: {} });
});

test("a change is in the next answer; what proxies of this age do not do is told once", async () => {
  await using pilot = await TestPilot.start(...application("reviews", ["v1", "v2"]));
  const warnings: string[] = [];
  const server = serve(
    { warn: (message) => warnings.push(message) },
    () => pilot.controlPlane.state?.compiled.ir,
  );
  const url = "/v1/routes/9080/c/sidecar~10.9.9.9~a.default~default.svc.cluster.local";
  const before = await ask(server, url);
  expect(before.body).not.toContain("weighted_clusters");
  const route = ["v1", "v2"].map((version) => ({ labels: { version }, weight: 50 }));
  const match = { request: { headers: { cookie: { regex: ".*" } } } };
  const fault = { abort: { percent: 10, grpcStatus: "UNAVAILABLE" } };
  pilot.write("rule", routeRule({ route, spec: { match, httpFault: fault } }));
  await expect.poll(async () => (await ask(server, url)).body).toContain("weighted_clusters");
  await ask(server, clusters);
  expect(warnings).toEqual([
    "RouteRule default/reviews-rule: proxies of Pilot 0.2 do not know an abort with a gRPC status",
  ]);
});

test("the port that has /ready has it, unless it is not wanted", async () => {
  await using pilot = await TestPilot.start(...application());
  const logged: string[] = [];
  const logger = { warn: (message: string) => logged.push(message) };
  const on = httpServer(pilot.controlPlane);
  addV1(on, pilot.controlPlane, { age: "0.2", caching: true }, logger);
  const off = httpServer(pilot.controlPlane);
  addV1(off, pilot.controlPlane, { age: undefined, caching: true }, logger);
  for (const url of ["/v1/registration", "/cache_stats"]) {
    expect((await ask(on, url)).status).toBe(200);
    expect((await ask(off, url)).status).toBe(404);
  }
  expect((await ask(on, "/ready")).status).toBe(200);
});
