import {
  application,
  destinationRule,
  istio,
  type Manifest,
  service,
  toSubset,
  virtualService,
} from "@keelson/model/testing";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

// v1 to v3 of reviews stand at 10.1.1.1 to 10.1.1.3, v1 of ratings at 10.1.2.1.
const reviews = application("reviews");
const ratings = application("ratings", ["v1"], { network: 2 });
const to = (subset: string, weight?: number) => ({ route: [toSubset(subset, weight)] });
const all = "100: 10.1.1.1:9080 10.1.1.2:9080 10.1.1.3:9080";

const http = (...routes: object[]): Manifest => virtualService({ spec: { http: routes } });
const jason = { match: [{ headers: { "end-user": { exact: "jason" } } }] };

test("a subset chooses endpoints by the labels of its DestinationRule", () => {
  const view = compile(...reviews, http(to("v2")), destinationRule());
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.2:9080"]);
  expect(view.explain("reviews")).toMatchObject({
    rules: [{ rule: "VirtualService default/reviews", field: "spec.http[0]", state: "applies", why: "" }],
    policies: [{ rule: "DestinationRule default/reviews", state: "applies" }],
    destinations: [{ subset: "v2", labels: { version: "v2" } }],
  });
  expect(view.problems).toEqual([]);
});

test("weights are kept, and count requests", () => {
  const view = compile(
    ...reviews,
    destinationRule(),
    http({ route: [toSubset("v1", 80), toSubset("v3", 20)] }),
  );
  expect(view.destinations("reviews", 9080)).toEqual(["80: 10.1.1.1:9080", "20: 10.1.1.3:9080"]);
  expect(view.explain("reviews")).toMatchObject({ wantedTier: "kernel", tier: "relay" });
});

test("all routes up to one without a match are asked for each request; for a connection that one counts", () => {
  const view = compile(...reviews, destinationRule(), http({ ...jason, ...to("v2") }, to("v3"), to("v1")));
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.3:9080"]);
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "kernel",
    rules: [
      { field: "spec.http[0]", state: "applies" },
      { field: "spec.http[1]", state: "applies" },
      { field: "spec.http[2]", state: "shadowed" },
    ],
  });
  expect(view.routes("reviews", 9080)).toEqual([
    "header end-user exact jason → 100: 10.1.1.2:9080",
    "→ 100: 10.1.1.3:9080",
  ]);
  expect(view.problems).toEqual([]);
});

test("one match without conditions makes the others moot", () => {
  const match = [{ uri: { prefix: "/a" } }, { port: 9080 }];
  expect(
    compile(...reviews, destinationRule(), http({ match, ...to("v2") })).destinations("reviews", 9080),
  ).toEqual(["100: 10.1.1.2:9080"]);
});

test.each([
  ["timeout", { timeout: "1s" }, "timeout"],
  ["retries", { retries: { attempts: 2 } }, "retries"],
  ["a fault", { fault: { abort: { percentage: { value: 1 }, httpStatus: 500 } } }, "fault"],
  ["a rewrite", { rewrite: { uri: "/" } }, "rewrite"],
  ["a mirror", { mirror: { host: "ratings" } }, "mirrors"],
  ["CORS", { corsPolicy: {} }, "corsPolicy"],
  ["headers", { headers: { request: { remove: ["a"] } } }, "headers"],
])("%s is the relay's, beside the destination", (_, more, field) => {
  const view = compile(...reviews, ...ratings, destinationRule(), http({ ...to("v2"), ...more }));
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.2:9080"]);
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "relay",
    tier: "relay",
    why: expect.stringMatching(`^spec\\.http\\[0\\]\\.${field} needs the relay; a node without`),
    rules: [{ state: "applies" }],
  });
});

test.each([
  ["a redirect", { redirect: { uri: "/new" } }],
  ["an answer", { directResponse: { status: 503 } }],
])("%s is the relay's; it leaves connections as they are", (_, route) => {
  const view = compile(...reviews, http(route));
  expect(view.destinations("reviews", 9080)).toEqual([all]);
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "relay",
    tier: "relay",
    rules: [{ state: "applies" }],
  });
  expect(view.service("reviews").ports[0]?.routes).toMatchObject([{ destinations: [], mirrors: [] }]);
});

test("a match's port is compared with the one that is dialled", () => {
  const ports = [
    { name: "http", port: 80 },
    { name: "http-admin", port: 81 },
  ];
  const [, ...behind] = reviews;
  const slice = behind.map((manifest) =>
    manifest.kind === "EndpointSlice"
      ? { ...manifest, ports: ports.map((port) => ({ ...port, port: 9080 })) }
      : manifest,
  );
  const view = compile(
    service({ ports }),
    ...slice,
    destinationRule(),
    http({ match: [{ port: 81 }], ...to("v2") }),
  );
  expect(view.destinations("reviews", 80)).toEqual([all]);
  expect(view.destinations("reviews", 81)).toEqual(["100: 10.1.1.2:9080"]);
  expect(view.explain("reviews", 80).rules).toMatchObject([{ state: "not applied", why: "is for port 81" }]);
  expect(view.problems).toEqual([]);
});

test("a subset that does not exist refuses its share, and says which ones there are", () => {
  const view = compile(
    ...reviews,
    destinationRule(),
    http({ route: [toSubset("v1", 90), toSubset("v9", 10)] }),
  );
  expect(view.destinations("reviews", 9080)).toEqual(["90: 10.1.1.1:9080", "10:"]);
  const why = 'DestinationRule default/reviews has no subset "v9"; it has "v1", "v2", "v3"';
  expect(view.problems).toEqual([
    `default/reviews: spec.http[0].route[1]: ${why}: calls to this destination are refused`,
  ]);
  expect(view.explain("reviews").destinations[1]).toMatchObject({
    share: 0.1,
    warning: `${why}: this share is refused (ECONNREFUSED)`,
  });
});

test("a subset without any DestinationRule refuses, too", () => {
  const view = compile(...reviews, http(to("v1")));
  expect(view.destinations("reviews", 9080)).toEqual(["100:"]);
  expect(view.problems).toEqual([
    expect.stringMatching(/since there is no DestinationRule for reviews\.default/),
  ]);
});

const sliceOf = (ports: object[]) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "ratings", namespace: "default", labels: { "kubernetes.io/service-name": "ratings" } },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.1.2.9"] }],
  ports,
});

test("a destination without a port is entered by the service's only one, else by the dialled number", () => {
  const elsewhere = http({ route: [{ destination: { host: "ratings" } }] });
  const many = [
    { name: "http", port: 80 },
    { name: "http-api", port: 9080 },
  ];
  const only = service({ name: "ratings", ips: ["10.96.2.1"], ports: [{ name: "web", port: 80 }] });
  expect(
    compile(...reviews, elsewhere, only, sliceOf([{ name: "web", port: 8080 }])).destinations(
      "reviews",
      9080,
    ),
  ).toEqual(["100: 10.1.2.9:8080"]);
  const two = service({ name: "ratings", ips: ["10.96.2.1"], ports: many });
  const ports = many.map((port) => ({ ...port, port: port.port + 1 }));
  expect(compile(...reviews, elsewhere, two, sliceOf(ports)).destinations("reviews", 9080)).toEqual([
    "100: 10.1.2.9:9081",
  ]);
  const named = http({ route: [{ destination: { host: "ratings", port: { number: 80 } } }] });
  expect(compile(...reviews, named, two, sliceOf(ports)).destinations("reviews", 9080)).toEqual([
    "100: 10.1.2.9:81",
  ]);
});

test("a port that the destination does not have refuses", () => {
  const view = compile(
    ...reviews,
    ...ratings,
    http({ route: [{ destination: { host: "ratings", port: { number: 1 } } }] }),
  );
  expect(view.destinations("reviews", 9080)).toEqual(["100:"]);
  expect(view.problems).toEqual([
    expect.stringMatching(/ratings\.default\.svc\.cluster\.local has no port 1\/TCP; it has 9080/),
  ]);
});

test("tcp routes are for ports that do not speak HTTP, and http routes are not", () => {
  const tcp = [{ route: [toSubset("v2", 30), toSubset("v3", 70)] }];
  const rule = virtualService({ spec: { tcp, http: [to("v1")] } });
  const [, ...behind] = application("reviews");
  const [mongo] = [service({ ports: [{ name: "mongo", port: 27017 }] })];
  const slices = behind.map((manifest) =>
    manifest.kind === "EndpointSlice" ? { ...manifest, ports: [{ name: "mongo", port: 27017 }] } : manifest,
  );
  const view = compile(mongo, ...slices, destinationRule(), rule);
  expect(view.destinations("reviews", 27017)).toEqual(["30: 10.1.1.2:27017", "70: 10.1.1.3:27017"]);
  expect(view.explain("reviews", 27017)).toMatchObject({ wantedTier: "connect", tier: "connect" });
  expect(compile(...reviews, destinationRule(), rule).destinations("reviews", 9080)).toEqual([
    "100: 10.1.1.1:9080",
  ]);
});

test("a rule for gateways only is none for callers in the mesh", () => {
  const rule = virtualService({ spec: { gateways: ["gw"], http: [to("v2")] } });
  const view = compile(...reviews, destinationRule(), rule);
  expect(view.destinations("reviews", 9080)).toEqual([all]);
  expect(view.explain("reviews").rules).toEqual([]);
});

test("a match for gateways only is none for callers in the mesh", () => {
  const rule = virtualService({
    spec: { gateways: ["mesh", "gw"], http: [{ match: [{ gateways: ["gw"] }], ...to("v2") }, to("v3")] },
  });
  const view = compile(...reviews, destinationRule(), rule);
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.3:9080"]);
  expect(view.explain("reviews").rules[0]).toMatchObject({
    state: "not applied",
    why: "is for gateways only",
  });
});

test("a rule for callers of one namespace is not applied, as nodes decide for all alike", () => {
  const rule = virtualService({ spec: { exportTo: ["."], http: [to("v2")] } });
  const view = compile(...reviews, destinationRule(), rule);
  expect(view.destinations("reviews", 9080)).toEqual([all]);
  expect(view.problems).toEqual([
    expect.stringMatching(/spec\.http\[0\]\.match: .* callers in namespace default only/),
  ]);
});

test("of several rules for a host, the older one counts, and a rule that names it before one with a wildcard", () => {
  const wide = virtualService({ name: "a", spec: { hosts: ["*.svc.cluster.local"], http: [to("v1")] } });
  const wider = virtualService({ name: "0", spec: { hosts: ["*.local"], http: [to("v1")] } });
  const first = virtualService({ name: "b", spec: { http: [to("v2")] } });
  const second = virtualService({ name: "c", spec: { http: [to("v3")] } });
  const view = compile(...reviews, destinationRule(), second, wide, wider, first);
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.2:9080"]);
  expect(view.explain("reviews").rules).toMatchObject([
    { rule: "VirtualService default/b", state: "applies" },
    { rule: "VirtualService default/c", state: "shadowed", why: "VirtualService default/b is asked first" },
    { rule: "VirtualService default/a", state: "shadowed" },
    { rule: "VirtualService default/0", state: "shadowed" },
  ]);
});

test("a rule of another namespace may be for the service", () => {
  const rule = virtualService({
    namespace: "ops",
    spec: {
      hosts: ["reviews.default.svc.cluster.local"],
      http: [{ route: [{ destination: { host: "reviews.default.svc.cluster.local", subset: "v3" } }] }],
    },
  });
  expect(compile(...reviews, destinationRule(), rule).destinations("reviews", 9080)).toEqual([
    "100: 10.1.1.3:9080",
  ]);
});

test("a rule for a host that is not there says so", () => {
  expect(compile(http(to("v1"))).problems).toEqual([
    expect.stringMatching(
      /^default\/reviews: spec\.hosts: there is no service reviews\.default\.svc\.cluster\.local/,
    ),
  ]);
});

test("the IR has a table for every rule, and sets for every subset", () => {
  const { ir } = compile(
    ...reviews,
    destinationRule(),
    http(to("v2")),
    istio("VirtualService", {
      name: "edge",
      spec: { hosts: ["a.com"], gateways: ["gw"], http: [{ route: [{ destination: { host: "reviews" } }] }] },
    }),
  ).compiled;
  expect([...ir.routeTables.keys()]).toEqual([
    "VirtualService/default/edge",
    "VirtualService/default/reviews",
  ]);
  expect([...ir.endpointSets.keys()]).toEqual(
    ["", "version=v1", "version=v2", "version=v3"].map(
      (labels) => `outbound|9080|${labels}|reviews.default.svc.cluster.local`,
    ),
  );
  expect(ir.services.get("reviews.default.svc.cluster.local")?.ports[0]?.destinations).toMatchObject([
    { weight: 100, endpointSet: "outbound|9080|version=v2|reviews.default.svc.cluster.local" },
  ]);
});
