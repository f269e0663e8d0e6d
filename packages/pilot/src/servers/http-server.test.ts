import { debugPaths } from "@keelson/model";
import { application, type Manifest, routeRule, toVersion } from "@keelson/model/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { JwtAuthenticator } from "../auth/jwt-authenticator.ts";
import { TestIssuer } from "../testing/test-issuer.ts";
import { TestPilot } from "../testing/test-pilot.ts";
import { buildText } from "../version.ts";
import { httpServer, monitoringServer } from "./http-server.ts";

const reviews = "reviews.default.svc.cluster.local";

/** The HTTP side of a control plane on a port of its own on loopback. */
class Http implements AsyncDisposable {
  readonly pilot: TestPilot;
  readonly server: ReturnType<typeof httpServer>;
  private readonly url: string;

  private constructor(pilot: TestPilot, server: ReturnType<typeof httpServer>, url: string) {
    this.pilot = pilot;
    this.server = server;
    this.url = url;
  }

  static async of(pilot: TestPilot, make = httpServer): Promise<Http> {
    const server = make(pilot.controlPlane);
    return new Http(pilot, server, await server.listen({ host: "127.0.0.1", port: 0 }));
  }

  static async start(...manifests: Manifest[]): Promise<Http> {
    return Http.of(await TestPilot.start(...manifests));
  }

  /** The body is a value if the answer is JSON, else its text. */
  async get(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.url}${path}`);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }

  async metrics(): Promise<string> {
    return String((await this.get("/metrics")).body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.pilot[Symbol.asyncDispose]();
  }
}

test("/ready says what is waited for, until the configuration is read", async () => {
  const pilot = new TestPilot(...application());
  await using http = await Http.of(pilot);
  const done = pilot.controlPlane.readiness.hold("test", "something else is done");
  const starting = pilot.controlPlane.start();
  expect(await http.get("/ready")).toEqual({
    status: 503,
    body: {
      ready: false,
      waiting: { config: "the configuration is being read", test: "something else is done" },
      problems: {},
    },
  });
  await starting;
  expect((await http.get("/ready")).body).toEqual({
    ready: false,
    waiting: { test: "something else is done" },
    problems: {},
  });
  done();
  pilot.controlPlane.readiness.fail("port 15014", "it is taken");
  expect(await http.get("/ready")).toEqual({
    status: 200,
    body: { ready: true, waiting: {}, problems: { "port 15014": "it is taken" } },
  });
  expect(await http.metrics()).toMatch(/^keelson_problem\{part="port 15014"\} 1$/m);
  pilot.controlPlane.readiness.recover("port 15014");
  expect(await http.metrics()).not.toMatch(/^keelson_problem\{/m);
});

test("/version is on the monitoring port", async () => {
  await using http = await Http.of(await TestPilot.start(), monitoringServer);
  expect(buildText.split("-").length).toBeGreaterThanOrEqual(3);
  expect(await http.get("/version")).toEqual({ status: 200, body: buildText });
  expect((await http.get("/metrics")).status).toBe(200);
  expect((await http.get("/ready")).status).toBe(404);
});

test("/metrics", async () => {
  await using http = await Http.start({ ...routeRule(), apiVersion: "wrong/v1" });
  const body = await http.metrics();
  expect(body).toMatch(/^keelson_config_errors 1$/m);
  expect(body).toMatch(/^keelson_compile_duration_seconds_count 1$/m);
  expect(body).toMatch(/^# TYPE pilot_xds gauge$/m);
  expect(body).toMatch(/^pilot_services 0$/m);
  expect(body).toMatch(/^istiod_uptime_seconds \d/m);
  expect(body).toContain(`pilot_info{version="${buildText}"} 1`);
});

test("pushes and rejections are counted", async () => {
  await using http = await Http.start(...application());
  const node = http.pilot.connect("node-a", () => Promise.reject(new Error("no")));
  await http.pilot.untilNode("node-a", ({ rejected }) => Object.keys(rejected).length === 3);
  const body = await http.metrics();
  expect(node.updates).toEqual([]);
  expect(body).toMatch(/^pilot_xds\{version=""\} 1$/m);
  for (const name of ["pilot_xds_pushes", "pilot_total_xds_rejects"]) {
    expect(
      body.match(
        new RegExp(`^${name}\\{type="type\\.googleapis\\.com/keelson\\.policy\\.v1\\.\\w+"\\} 1$`, "gm"),
      ),
    ).toHaveLength(3);
  }
});

test("/debug lists its paths, and each of them answers", async () => {
  await using http = await Http.start(...application());
  const { body: index } = await http.get("/debug");
  for (const path of ["/debug/syncz", ...Object.values(debugPaths)])
    expect(index).toContain(`<a href="${path}">${path}</a>`);
  for (const path of Object.values(debugPaths)) expect((await http.get(path)).status).toBe(200);
  const { body } = await http.get(debugPaths.status);
  expect(body).toEqual(JSON.parse(JSON.stringify(http.pilot.controlPlane.status())));
  expect(await http.get("/debug/nothing")).toMatchObject({ status: 404 });
});

test.each(["10.0.0.9", "::ffff:10.0.0.9", "fe80::1", "128.0.0.1"])(
  "/debug is not for callers at %s",
  async (caller) => {
    await using http = await Http.start(...application());
    const paths = ["/debug/syncz", "/debug/nothing", ...Object.values(debugPaths)];
    for (const path of paths) {
      for (const url of [
        path,
        `${path}?x`,
        path.replace("d", "%64"),
        path.replace("u", "%75"),
        `http://x${path}`,
      ]) {
        const { statusCode, body } = await http.server.inject({ url, remoteAddress: caller });
        expect({ url, statusCode }).toEqual({ url, statusCode: 401 });
        expect(body).toContain("/debug answers callers on the same machine, and callers with a bearer token");
      }
    }
    for (const url of ["/ready", "/metrics"]) {
      expect((await http.server.inject({ url, remoteAddress: caller })).statusCode).toBe(200);
    }
  },
);

test.each(["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])(
  "/debug is for callers at %s",
  async (caller) => {
    await using http = await Http.start();
    expect((await http.server.inject({ url: debugPaths.nodes, remoteAddress: caller })).statusCode).toBe(200);
  },
);

const explain = (service: string): string => `${debugPaths.explain}?service=${encodeURIComponent(service)}`;

test("explain: one service by its hostname or a beginning of it, or all", async () => {
  await using http = await Http.start(...application(), ...application("ratings", ["v1"], { network: 2 }));
  for (const name of [reviews, "reviews", "reviews.default"]) {
    expect(await http.get(explain(name))).toMatchObject({ status: 200, body: [{ hostname: reviews }] });
  }
  expect((await http.get(debugPaths.explain)).body).toHaveLength(2);
});

test.each([
  ["reviws", "there is no service reviws; did you mean reviews?"],
  ["review", "there is no service review; did you mean reviews?"],
  [
    "reviews.default.svc.cluster.loca",
    `there is no service reviews.default.svc.cluster.loca; did you mean ${reviews}?`,
  ],
  ["zzz", "there is no service zzz"],
  ["", "there is no service "],
])("explain: a service %j that is not there", async (name, error) => {
  await using http = await Http.start(...application());
  expect(await http.get(explain(name))).toEqual({ status: 404, body: { error } });
});

test("explain: two services at once are a mistake of the caller's", async () => {
  await using http = await Http.start(...application());
  expect(await http.get(`${debugPaths.explain}?service=a&service=b`)).toMatchObject({ status: 400 });
});

test("the IR is shown as people read it", async () => {
  await using http = await Http.start(
    ...application("reviews", ["v1"]),
    routeRule({ route: [toVersion("v1")] }),
  );
  const { body } = await http.get(debugPaths.ir);
  expect(body).toMatchObject({
    version: http.pilot.controlPlane.status().version,
    resources: [
      {
        type: "EndpointSet",
        resource: {
          name: `outbound|9080|version=v1|${reviews}`,
          endpoints: [{ address: "10.1.1.1", port: 9080, weight: 1, labels: ["app=reviews", "version=v1"] }],
        },
      },
      {
        type: "Service",
        resource: {
          addresses: ["10.96.1.1"],
          ports: [
            { port: 9080, protocol: "PROTOCOL_TCP", tier: "TIER_CONNECT", destinations: [{ weight: 100 }] },
          ],
        },
      },
      {
        type: "Workload",
        node: "node-a",
        resource: {
          name: "default/reviews-v1",
          addresses: ["10.1.1.1"],
          labels: expect.arrayContaining([{ key: "version", value: "v1" }]),
        },
      },
    ],
  });
});

describe("a caller on another machine", () => {
  const systemPages = ["syncz", "registryz", "config_dump", "keelson/status", "nothing"];

  async function asking(): Promise<(page: string, token?: string) => Promise<number>> {
    const issuer = await TestIssuer.create();
    const http = await Http.start(...application());
    onTestFinished(() => http[Symbol.asyncDispose]());
    http.pilot.controlPlane.authenticators = [new JwtAuthenticator(issuer.rule(), "cluster.local")];
    return async (page, namespace) => {
      const token = namespace === undefined ? "forged" : await issuer.token({ namespace });
      const { statusCode } = await http.server.inject({
        url: `/debug/${page}`,
        remoteAddress: "10.0.0.9",
        headers: { authorization: `Bearer ${token}` },
      });
      return statusCode;
    };
  }

  test("with a token of the root namespace sees everything", async () => {
    const ask = await asking();
    const answers = await Promise.all(systemPages.map((page) => ask(page, "istio-system")));
    expect(answers).toEqual([200, 200, 400, 200, 404]);
  });

  test("with another token sees what its own namespace's proxies should hold", async () => {
    const ask = await asking();
    const pages = [...systemPages, "edsz", "ndsz", "ecdsz"];
    const answers = await Promise.all(pages.map((page) => ask(page, "default")));
    expect(answers).toEqual([403, 403, 400, 403, 403, 400, 400, 403]);
  });

  test("with a token that nobody vouches for sees nothing", async () => {
    const ask = await asking();
    expect(await Promise.all(systemPages.map((page) => ask(page)))).toEqual(systemPages.map(() => 401));
  });
});
