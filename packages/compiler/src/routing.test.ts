import { application, pod, routeRule, service, slice, toVersion } from "@keelson/model/testing";
import { Protocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

// v1 to v3 of reviews stand at 10.1.1.1 to 10.1.1.3.
const reviews = application("reviews");
const ratings = application("ratings", ["v1"], { network: 2 });

test("without rules, connections go to all endpoints of a port", () => {
  expect(compile(...reviews).destinations("reviews", 9080)).toEqual([
    "100: 10.1.1.1:9080 10.1.1.2:9080 10.1.1.3:9080",
  ]);
});

test("a rule's labels choose endpoints", () => {
  const view = compile(...reviews, routeRule({ route: [toVersion("v2")] }));
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.2:9080"]);
  expect(view.problems).toEqual([]);
});

test("several labels must all be there", () => {
  const wanted = { version: "v1", zone: "a" };
  const view = compile(
    service(),
    slice({ endpoints: ["10.1.0.1", "10.1.0.2"] }),
    pod({ name: "near", ip: "10.1.0.1", labels: { zone: "a", version: "v1", more: "x" } }),
    pod({ name: "far", ip: "10.1.0.2", labels: { zone: "b", version: "v1" } }),
    routeRule({ route: [{ labels: wanted }] }),
  );
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.0.1:9080"]);
});

test.each([
  [80, 20],
  [50, 50],
  [100, 0],
])("weights %i and %i are kept", (first, second) => {
  const view = compile(...reviews, routeRule({ route: [toVersion("v1", first), toVersion("v3", second)] }));
  expect(view.destinations("reviews", 9080)).toEqual([`${first}: 10.1.1.1:9080`, `${second}: 10.1.1.3:9080`]);
  expect(view.explain("reviews").destinations.map(({ share }) => share)).toEqual([first / 100, second / 100]);
});

test("the rule of higher precedence counts, among equals the name that sorts first", () => {
  const low = routeRule({ name: "a", precedence: 1, route: [toVersion("v1")] });
  const second = routeRule({ name: "c", precedence: 2, route: [toVersion("v2")] });
  const first = routeRule({ name: "b", precedence: 2, route: [toVersion("v3")] });
  for (const rules of [
    [low, second, first],
    [first, second, low],
  ]) {
    const view = compile(...reviews, ...rules);
    expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.3:9080"]);
    expect(view.explain("reviews").rules).toMatchObject([
      { rule: "RouteRule default/b", precedence: 2, state: "applies", why: "" },
      { rule: "RouteRule default/c", precedence: 2, state: "shadowed" },
      { rule: "RouteRule default/a", precedence: 1, state: "shadowed" },
    ]);
  }
});

const jason = { request: { headers: { cookie: { regex: "user=jason" } } } };

test("a rule that matches on requests is asked for each; decided once, a connection goes where the others lead", () => {
  const view = compile(
    ...reviews,
    routeRule({ name: "jason", precedence: 2, route: [toVersion("v2")], spec: { match: jason } }),
    routeRule({ name: "all", precedence: 1, route: [toVersion("v1")] }),
  );
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.1:9080"]);
  expect(view.routes("reviews", 9080)).toEqual([
    "header cookie regex user=jason → 100: 10.1.1.2:9080",
    "→ 100: 10.1.1.1:9080",
  ]);
  expect(view.problems).toEqual([]);
  expect(view.explain("reviews").rules).toMatchObject([
    { rule: "RouteRule default/jason", state: "applies", why: "" },
    { rule: "RouteRule default/all", state: "applies" },
  ]);
});

test("behind RouteRules stands a default, as Istio 0.2 has it", () => {
  const view = compile(...reviews, routeRule({ route: [toVersion("v2")], spec: { match: jason } }));
  expect(view.routes("reviews", 9080)).toEqual([
    "header cookie regex user=jason → 100: 10.1.1.2:9080",
    "→ 100: 10.1.1.1:9080 10.1.1.2:9080 10.1.1.3:9080",
  ]);
});

test.each([
  ["callers of a service", { source: { name: "productpage" } }],
  ["addresses", { tcp: { sourceSubnet: ["10.0.0.0/8"] } }],
])("a rule that is for some %s only is left out, and that is said", (_, match) => {
  const view = compile(...reviews, routeRule({ route: [toVersion("v2")], spec: { match } }));
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.1:9080 10.1.1.2:9080 10.1.1.3:9080"]);
  expect(view.problems).toEqual([expect.stringMatching(/^default\/reviews-rule: spec\.match/)]);
});

test("what a rule asks for beside destinations is the relay's", () => {
  const spec = {
    httpReqTimeout: { simpleTimeout: { timeout: "1s" } },
    httpReqRetries: { simpleRetry: { attempts: 3 } },
  };
  const view = compile(...reviews, routeRule({ route: [toVersion("v1")], spec }));
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.1:9080"]);
  expect(view.problems).toEqual([]);
  expect(view.explain("reviews")).toMatchObject({ tier: "relay", rules: [{ state: "applies" }] });
  expect(view.service("reviews").ports[0]?.routes).toMatchObject([
    { route: { timeoutMs: 1000n, retries: { attempts: 3 } } },
  ]);
});

test("a label that no pod has refuses its share, and says which labels there are", () => {
  const view = compile(...reviews, routeRule({ route: [toVersion("v1", 90), toVersion("v9", 10)] }));
  expect(view.destinations("reviews", 9080)).toEqual(["90: 10.1.1.1:9080", "10:"]);
  const why =
    "none of its 3 endpoints has the labels version=v9; there are: version=v1; version=v2; version=v3";
  expect(view.problems).toEqual([
    `default/reviews-rule: spec.route[1]: ${why}: calls to this destination are refused`,
  ]);
  expect(view.explain("reviews").destinations).toMatchObject([
    { share: 0.9, endpoints: [{ address: "10.1.1.1:9080", workload: "default/reviews-v1" }] },
    { share: 0.1, endpoints: [], warning: `${why}: this share is refused (ECONNREFUSED)` },
  ]);
});

test("a destination that gets nothing may have no endpoint", () => {
  const view = compile(...reviews, routeRule({ route: [toVersion("v1", 100), toVersion("v9", 0)] }));
  expect(view.problems).toEqual([]);
  expect(view.explain("reviews").destinations[1]).not.toHaveProperty("warning");
});

test("a service without ready endpoints is no rule's fault", () => {
  const view = compile(service());
  expect(view.destinations("reviews", 9080)).toEqual(["100:"]);
  expect(view.problems).toEqual([]);
  expect(view.explain("reviews").destinations[0]?.warning).toMatch(/has no ready endpoint on port 9080/);
});

test("a rule for a service that is not there has no effect, and says so", () => {
  expect(compile(routeRule()).problems).toEqual([
    expect.stringMatching(
      /^default\/reviews-rule: spec\.destination: there is no service reviews\.default\.svc\.cluster\.local/,
    ),
  ]);
});

test("a destination may be another service", () => {
  const elsewhere = [{ destination: { name: "ratings" }, labels: { version: "v1" } }];
  const view = compile(...reviews, ...ratings, routeRule({ route: elsewhere }));
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.2.1:9080"]);
  expect(view.destinations("ratings", 9080)).toEqual(["100: 10.1.2.1:9080"]);
});

test("a destination that is no service refuses its share", () => {
  const view = compile(...reviews, routeRule({ route: [{ destination: { name: "nowhere" } }] }));
  expect(view.destinations("reviews", 9080)).toEqual(["100:"]);
  expect(view.problems).toEqual([
    expect.stringMatching(/there is no service nowhere\.default\.svc\.cluster\.local/),
  ]);
});

const twoPorts = [
  { name: "http", port: 9080 },
  { name: "grpc", port: 9090 },
];

test("each port of a service has its own endpoints and the rule's choice", () => {
  const view = compile(
    service({
      ports: [
        { name: "http", port: 80 },
        { name: "grpc", port: 81 },
      ],
    }),
    slice({ endpoints: ["10.1.0.1", "10.1.0.2"], ports: twoPorts }),
    pod(),
    pod({ name: "reviews-v2", ip: "10.1.0.2", labels: { version: "v2" } }),
    routeRule({ route: [toVersion("v2")] }),
  );
  expect(view.destinations("reviews", 80)).toEqual(["100: 10.1.0.2:9080"]);
  expect(view.destinations("reviews", 81)).toEqual(["100: 10.1.0.2:9090"]);
});

test("TCP and UDP ports of one number do not share endpoints", () => {
  const view = compile(
    service({
      name: "dns",
      ports: [
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "dns-tcp", port: 53, protocol: "TCP" },
      ],
    }),
    slice({
      service: "dns",
      ports: [
        { name: "dns", port: 5353, protocol: "UDP" },
        { name: "dns-tcp", port: 5354, protocol: "TCP" },
      ],
    }),
  );
  expect(view.destinations("dns", 53, Protocol.UDP)).toEqual(["100: 10.1.0.1:5353"]);
  expect(view.destinations("dns", 53, Protocol.TCP)).toEqual(["100: 10.1.0.1:5354"]);
});

test("another service is entered by the port of the dialled one's name, whoever else leads there", () => {
  const route = [{ destination: { name: "target" } }];
  const view = compile(
    service({ name: "target", ips: ["10.96.0.9"], ports: twoPorts }),
    slice({ service: "target", ports: twoPorts }),
    service({ name: "a", ips: ["10.96.0.1"], ports: [{ name: "http", port: 80 }] }),
    service({ name: "b", ips: ["10.96.0.2"], ports: [{ name: "grpc", port: 80 }] }),
    routeRule({ name: "a", destination: "a", route }),
    routeRule({ name: "b", destination: "b", route }),
  );
  expect(view.destinations("a", 80)).toEqual(["100: 10.1.0.1:9080"]);
  expect(view.destinations("b", 80)).toEqual(["100: 10.1.0.1:9090"]);
});
