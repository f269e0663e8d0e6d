import { expect, test } from "vitest";
import { aHostPolicy, aRouteTable } from "../envoy/testing/builders.ts";
import { percentages } from "./rule-routes.ts";
import { outboundName } from "./service-key.ts";
import { Answers, sidecar } from "./testing/answers.ts";
import { reviews, scene, withRules } from "./testing/scene.ts";

const cluster = (key: string): string => outboundName(key, "0.2");
const toVersion = (version: string, weight = 100) => ({ hostname: reviews, labels: { version }, weight });
const header = (name: string, value: string) => ({ name, value: { how: { case: "exact" as const, value } } });
const ofVersion = (version: string): string => cluster(`${reviews}|http|version=${version}`);

test("without a rule, everything goes to the service", () => {
  expect(new Answers(scene).routes()).toEqual([{ prefix: "/", cluster: cluster(`${reviews}|http`) }]);
});

test("rules are asked in their order, and none after one that takes every request", () => {
  const answers = new Answers(
    withRules(
      { matches: [{ headers: [header("user", "jason")] }], destinations: [toVersion("v2")] },
      { destinations: [toVersion("v1")] },
      { destinations: [toVersion("v3")] },
    ),
  );
  expect(answers.routes()).toEqual([
    { prefix: "/", cluster: ofVersion("v2"), headers: [{ name: "user", value: "jason" }] },
    { prefix: "/", cluster: ofVersion("v1") },
  ]);
  const keys = answers.clusters().map(({ service_name: key }) => key);
  expect(keys).toContain(`${reviews}|http|version=v1`);
  expect(keys).not.toContain(`${reviews}|http|version=v3`);
});

test("each of several matches is a route", () => {
  const matches = [{ headers: [header("a", "1")] }, { headers: [header("b", "2")] }];
  const routes = new Answers(withRules({ matches, destinations: [toVersion("v2")] })).routes();
  expect(routes.map(({ headers }) => headers)).toEqual([
    [{ name: "a", value: "1" }],
    [{ name: "b", value: "2" }],
    undefined,
  ]);
});

test.each([
  ["the service that calls", { hostname: "callers.default.svc.cluster.local" }, true],
  ["its labels", { hostname: "callers.default.svc.cluster.local", labels: { app: "caller" } }, true],
  ["other labels", { hostname: "callers.default.svc.cluster.local", labels: { app: "x" } }, false],
  ["another service", { hostname: reviews }, false],
  ["labels of any caller", { labels: { app: "caller" } }, true],
  ["its namespace", { namespace: "default" }, true],
  ["another namespace", { namespace: "other" }, false],
])("a rule for %s: %j", (_, source, meant) => {
  const answers = new Answers(withRules({ matches: [{ source }], destinations: [toVersion("v2")] }));
  const [first] = answers.routes(sidecar("10.2.0.1"));
  expect(first?.cluster).toBe(meant ? ofVersion("v2") : cluster(`${reviews}|http`));
});

test("weights add up to 100, whatever was written", () => {
  const weighted = (...weights: number[]) =>
    new Answers(
      withRules({ destinations: weights.map((weight, i) => toVersion(`v${i}`, weight)) }),
    ).routes()[0]?.weighted_clusters?.clusters;
  expect(weighted(75, 25)).toEqual([
    { name: ofVersion("v0"), weight: 75 },
    { name: ofVersion("v1"), weight: 25 },
  ]);
  expect(weighted(1, 1, 1)?.map(({ weight }) => weight)).toEqual([34, 33, 33]);
});

test.each([
  [
    [100, 0],
    [100, 0],
  ],
  [
    [0, 0, 0, 0],
    [25, 25, 25, 25],
  ],
  [
    [0, 0, 0],
    [34, 33, 33],
  ],
  [
    [1, 2],
    [33, 67],
  ],
  [
    [10_000, 1],
    [100, 0],
  ],
])("weights %j are %j percent", (weights, expected) => {
  expect(percentages(weights)).toEqual(expected);
});

test("timeout and retries; without attempts there are no retries", () => {
  const [route] = new Answers(
    withRules({ timeoutMs: 500n, retries: { attempts: 2, perTryTimeoutMs: 100n } }),
  ).routes();
  expect(route).toEqual({
    prefix: "/",
    cluster: cluster(`${reviews}|http`),
    timeout_ms: 500,
    retry_policy: {
      retry_on: "5xx,connect-failure,refused-stream",
      num_retries: 2,
      per_try_timeout_ms: 100,
    },
  });
  expect(new Answers(withRules({ retries: { attempts: 0 } })).routes()[0]).not.toHaveProperty("retry_policy");
  expect(new Answers(withRules({ timeoutMs: 0n })).routes()[0]?.["timeout_ms"]).toBe(0);
  const custom = withRules({ retries: { attempts: 1, retryOn: "gateway-error" } });
  expect(new Answers(custom).routes()[0]?.["retry_policy"]).toEqual({
    retry_on: "gateway-error",
    num_retries: 1,
  });
});

test("a redirect has no cluster, and a rewrite keeps it", () => {
  expect(
    new Answers(withRules({ redirect: { uri: "/new", authority: "a.com", code: 301 } })).routes(),
  ).toEqual([{ prefix: "/", path_redirect: "/new", host_redirect: "a.com" }]);
  expect(new Answers(withRules({ rewrite: { uri: "/new", authority: "a.com" } })).routes()).toEqual([
    { prefix: "/", prefix_rewrite: "/new", host_rewrite: "a.com", cluster: cluster(`${reviews}|http`) },
  ]);
});

const faultsOf = (parts: Parameters<typeof withRules>[0]): unknown[] =>
  new Answers(withRules(parts))
    .listener("http_0.0.0.0_80")
    ?.filters[0]?.config.filters?.filter(({ name }) => name === "fault")
    .map(({ config }) => config) ?? [];

test("faults stand in the listener, one for each cluster that the route may choose", () => {
  const fault = { delayPercent: 50.9, delayMs: 20n, abortPercent: 10, httpStatus: 503 };
  const matches = [{ headers: [header("a", "1")] }];
  const expected = {
    abort: { abort_percent: 10, http_status: 503 },
    delay: { type: "fixed", fixed_delay_percent: 50, fixed_duration_ms: 20 },
    headers: [{ name: "a", value: "1" }],
  };
  expect(faultsOf({ matches, destinations: [toVersion("v1", 50), toVersion("v2", 50)], fault })).toEqual([
    { ...expected, upstream_cluster: ofVersion("v1") },
    { ...expected, upstream_cluster: ofVersion("v2") },
  ]);
});

test.each([{}, { delayMs: 20n }, { abortPercent: 10 }, { httpStatus: 503 }])(
  "a fault that says too little is none (%#)",
  (fault) => {
    expect(faultsOf({ fault })).toEqual([]);
  },
);

test("a rule may lead to another service, and to another port of it", () => {
  const callers = "callers.default.svc.cluster.local";
  const parts = withRules({ destinations: [{ hostname: callers, port: 80, weight: 1 }] });
  expect(new Answers(parts).routes()[0]?.cluster).toBe(cluster(`${callers}|http`));
});

test("a subset is the labels that its DestinationRule gives; one that is not there has no endpoints", () => {
  const policy = aHostPolicy("DestinationRule/default/reviews", {
    hostname: reviews,
    subsets: [{ name: "old", labels: { version: "v1" } }],
  });
  const leads = (subset: string) =>
    new Answers({
      ...withRules({ destinations: [{ hostname: reviews, subset, weight: 1 }] }),
      hostPolicies: [policy],
    });
  expect(leads("old").routes()[0]?.cluster).toBe(ofVersion("v1"));
  const answers = leads("new");
  const name = answers.routes()[0]?.cluster;
  const key = answers.clusters().find((each) => each.name === name)?.service_name;
  expect(answers.endpoints(String(key))).toEqual([]);
});

test("what these proxies cannot look at is left out, and told", () => {
  const answers = new Answers(
    withRules(
      { matches: [{ queryParameters: [{ name: "q" }] }], destinations: [toVersion("v2")] },
      { matches: [{ headers: [{ name: "a", invert: true }] }], destinations: [toVersion("v3")] },
      { responseHeaders: { remove: ["x"] }, destinations: [toVersion("v1")] },
    ),
  );
  expect(answers.routes()).toEqual([{ prefix: "/", cluster: ofVersion("v1") }]);
  const head = "RouteRule default/rule: proxies of Pilot 0.2 do not know";
  expect(answers.discovery.gaps()).toEqual([
    `${head} query parameters`,
    `${head} "a" by what it is not`,
    `${head} headers of responses`,
  ]);
});

test("what would be answered by the proxy itself is refused, so that nothing gets through", () => {
  const answers = new Answers(withRules({ directResponse: { status: 403 } }));
  const [route, ...others] = answers.routes();
  expect(others).toEqual([]);
  const key = answers.clusters().find(({ name }) => name === route?.cluster)?.service_name;
  expect(answers.endpoints(String(key))).toEqual([]);
  expect(answers.discovery.gaps()).toEqual([
    "RouteRule default/rule: proxies of Pilot 0.2 do not know a direct response",
  ]);
});

test("rules for gateways, of other hosts, for other ports, and that are not for all to see are none here", () => {
  const http = [{ destinations: [toVersion("v9")] }];
  const tables = [
    aRouteTable("VirtualService/default/gateway", { hosts: [reviews], gateways: ["default/gw"], http }),
    aRouteTable("VirtualService/other/hidden", { hosts: [reviews], exportedTo: ["other"], http }),
    aRouteTable("VirtualService/default/other", { hosts: ["*.com"], http }),
    aRouteTable("VirtualService/default/port", {
      hosts: ["*.default.svc.cluster.local"],
      http: [{ ...http[0], matches: [{ port: 81 }, { gateways: ["default/gw"] }] }],
    }),
  ];
  const plain = [{ prefix: "/", cluster: cluster(`${reviews}|http`) }];
  expect(new Answers({ ...scene, routeTables: tables }).routes()).toEqual(plain);
  expect(
    new Answers({ ...scene, routeTables: tables }).routes(sidecar("10.9.9.9", "other"))[0]?.cluster,
  ).toBe(ofVersion("v9"));
});

test("of rules for several hosts, the one that names the host best counts; of equal ones, the first", () => {
  const table = (name: string, host: string, version: string) =>
    aRouteTable(`VirtualService/default/${name}`, {
      hosts: [host],
      http: [{ destinations: [toVersion(version)] }],
    });
  const all = [
    table("a", "*.local", "v1"),
    table("b", "*.svc.cluster.local", "v2"),
    table("c", reviews, "v3"),
    table("d", reviews, "v4"),
  ];
  const chosen = (routeTables: typeof all) => new Answers({ ...scene, routeTables }).routes()[0]?.cluster;
  expect(chosen(all)).toBe(ofVersion("v3"));
  expect(chosen(all.slice(0, 2))).toBe(ofVersion("v2"));
  expect(chosen(all.slice(0, 1))).toBe(ofVersion("v1"));
});

test("WebSockets are let through at both ends; the server's end sees the path as rewritten", () => {
  const matches = [{ uri: { how: { case: "prefix" as const, value: "/ws" } } }];
  const answers = new Answers(withRules({ matches, rewrite: { uri: "/in" }, websocketUpgrade: true }));
  expect(answers.routes()[0]).toMatchObject({ prefix: "/ws", prefix_rewrite: "/in", use_websocket: true });
  const listener = answers.listener("http_10.1.0.1_8080", sidecar("10.1.0.1"));
  expect(listener?.filters[0]?.config.route_config?.virtual_hosts?.[0]?.routes).toEqual([
    { prefix: "/in", cluster: "in.8080", use_websocket: true },
    { prefix: "/", cluster: "in.8080" },
  ]);
});
