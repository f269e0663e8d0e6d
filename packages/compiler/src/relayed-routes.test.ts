import { ModelBuilder } from "@keelson/model";
import {
  application,
  destinationRule,
  type Manifest,
  read,
  routeRule,
  service,
  toSubset,
  toVersion,
  virtualService,
} from "@keelson/model/testing";
import type { PortRoute } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { Compiler } from "./compiler.ts";
import { compile, View } from "./testing/compile.ts";

// v1 to v3 of reviews stand at 10.1.1.1 to 10.1.1.3.
const reviews = application("reviews");
const to = (subset: string) => ({ route: [toSubset(subset)] });
const http = (...routes: object[]): Manifest => virtualService({ spec: { http: routes } });

const routesOf = (view: View): PortRoute[] => view.service("reviews").ports[0]?.routes ?? [];

test("conditions on the port and on gateways are settled", () => {
  const view = compile(
    ...reviews,
    destinationRule(),
    virtualService({
      spec: {
        gateways: ["mesh", "edge"],
        http: [
          { match: [{ gateways: ["edge"] }], ...to("v1") },
          { match: [{ port: 9999, uri: { exact: "/a" } }], ...to("v1") },
          {
            match: [
              { port: 9080, uri: { exact: "/b" } },
              { gateways: ["mesh"], headers: { a: { exact: "c" } } },
            ],
            ...to("v2"),
          },
          { match: [{ port: 9080 }], ...to("v3") },
        ],
      },
    }),
  );
  expect(view.routes("reviews", 9080)).toEqual([
    "uri exact /b or header a exact c → 100: 10.1.1.2:9080",
    "→ 100: 10.1.1.3:9080",
  ]);
  expect(routesOf(view).flatMap(({ route }) => route?.matches ?? [])).toMatchObject([
    { port: 0, gateways: [] },
    { port: 0, gateways: [] },
  ]);
});

test("routes of a delegate stand where it is named, with the conditions of both", () => {
  const part = virtualService({
    name: "part",
    spec: {
      hosts: [],
      http: [{ match: [{ uri: { prefix: "/a/b" } }], ...to("v2") }, to("v3")],
    },
  });
  const root = http({ match: [{ uri: { prefix: "/a" } }], delegate: { name: "part" } }, to("v1"));
  expect(compile(...reviews, destinationRule(), root, part).routes("reviews", 9080)).toEqual([
    "uri prefix /a/b → 100: 10.1.1.2:9080",
    "uri prefix /a → 100: 10.1.1.3:9080",
    "→ 100: 10.1.1.1:9080",
  ]);
});

test.each([{ prefix: "/" }, { regex: ".*" }])(
  "a route for every path leaves nothing behind it: %j",
  (uri) => {
    const view = compile(...reviews, destinationRule(), http({ match: [{ uri }], ...to("v2") }, to("v3")));
    expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.2:9080"]);
    expect(view.explain("reviews")).toMatchObject({
      tier: "connect",
      rules: [{ state: "applies" }, { state: "shadowed" }],
    });
    expect(routesOf(view)).toEqual([]);
  },
);

test("a route that matches first by one thing and then by nothing keeps both, as a rewrite goes by what matched", () => {
  const match = [{ uri: { prefix: "/a" } }, { port: 9080 }, { uri: { prefix: "/b" } }];
  const view = compile(...reviews, http({ match, rewrite: { uri: "/" }, route: [toSubset("v1")] }));
  expect(view.routes("reviews", 9080)).toEqual(["uri prefix /a or all → 100:"]);
});

test("explain says of each route where it leads, by which tier and what it wants of that", () => {
  const match = [{ headers: { a: { exact: "b" } } }];
  const view = compile(
    ...reviews,
    destinationRule(),
    http(
      { match, redirect: { uri: "/new" } },
      { match: [{ sourceNamespace: "shop" }], timeout: "1s", ...to("v2") },
      { route: [toSubset("v1", 80), toSubset("v3", 20)] },
    ),
  );
  expect(view.explain("reviews").rules).toMatchObject([
    { carried: { tier: "relay", why: "looks at header a; redirects requests", destinations: [] } },
    {
      carried: {
        why: "looks at caller namespace shop; sets a timeout",
        destinations: [{ subset: "v2", share: 1 }],
      },
    },
    {
      carried: {
        why: "weighs 2 destinations",
        destinations: [
          { subset: "v1", share: 0.8 },
          { subset: "v3", share: 0.2 },
        ],
      },
    },
  ]);
});

test("conditions on the caller's labels and namespace are the relay's", () => {
  const match = [{ sourceNamespace: "shop", sourceLabels: { app: "web" } }];
  const view = compile(...reviews, destinationRule(), http({ match, ...to("v2") }, to("v1")));
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "relay",
    tier: "relay",
    rules: [{ state: "applies" }, { state: "applies" }],
  });
  expect(routesOf(view)[0]?.route?.matches).toMatchObject([
    { source: { namespace: "shop", labels: { app: "web" } } },
  ]);
  expect(view.problems).toEqual([]);
});

const fromProductpage = (labels: object = {}): Manifest =>
  routeRule({
    route: [toVersion("v2")],
    spec: { match: { source: { name: "productpage", ...labels } } },
  });
const productpage = (spec: Readonly<Record<string, unknown>> = {}): Manifest =>
  service({ name: "productpage", ips: ["10.96.3.1"], spec });

test("callers of a service are known by the labels that its selector wants", () => {
  const selector = { app: "productpage", tier: "web" };
  const rule = fromProductpage({ labels: { version: "v1" } });
  const view = compile(...reviews, productpage({ selector }), rule);
  expect(routesOf(view)[0]?.route?.matches).toEqual([
    expect.objectContaining({
      source: expect.objectContaining({
        namespace: "default",
        hostname: "",
        labels: { app: "productpage", tier: "web", version: "v1" },
      }),
    }),
  ]);
  expect(view.problems).toEqual([]);
});

test.each([
  ["without a selector", {}, {}],
  ["whose selector wants another value", { selector: { version: "v2" } }, { labels: { version: "v1" } }],
])("a match for callers of a service %s is left out, and that is said", (_, spec, labels) => {
  const view = compile(...reviews, productpage(spec), fromProductpage(labels));
  expect(view.explain("reviews")).toMatchObject({ tier: "connect", rules: [{ state: "not applied" }] });
  expect(view.problems).toEqual([expect.stringMatching(/spec\.match: the rule is not applied/)]);
});

test("what a rule asks for is nothing where none of its requests are seen", () => {
  const spec = {
    match: { source: { name: "productpage" } },
    httpReqTimeout: { simpleTimeout: { timeout: "1s" } },
  };
  const view = compile(...reviews, routeRule({ route: [toVersion("v2")], spec }));
  expect(view.explain("reviews")).toMatchObject({ tier: "connect", rules: [{ state: "not applied" }] });
});

test("another selector of the callers' service makes the routes anew", () => {
  const [builder, compiler] = [new ModelBuilder(), new Compiler()];
  const selectors = [{ app: "a" }, { app: "b" }].map((selector) => {
    const objects = read(...reviews, productpage({ selector }), fromProductpage());
    return routesOf(new View(compiler.compile(builder.build(objects).model)))[0]?.route?.matches[0]?.source;
  });
  expect(selectors.map((source) => source?.labels)).toEqual([{ app: "a" }, { app: "b" }]);
});

test("a match for callers of a service that is not there is left out, and other rules stay", () => {
  const source = { name: "productpage" };
  const some = compile(
    ...reviews,
    routeRule({ name: "some", precedence: 2, route: [toVersion("v2")], spec: { match: { source } } }),
    routeRule({ name: "all", precedence: 1, route: [toVersion("v1", 50), toVersion("v3", 50)] }),
  );
  expect(some.routes("reviews", 9080)).toEqual(["→ 50: 10.1.1.1:9080, 50: 10.1.1.3:9080"]);
  expect(some.explain("reviews").rules).toMatchObject([
    {
      state: "not applied",
      why: expect.stringContaining("belong to productpage.default.svc.cluster.local, which the relay"),
    },
    { state: "applies" },
  ]);
  expect(some.problems).toEqual([
    expect.stringMatching(/^default\/some: spec\.match: the rule is not applied by kernel nodes/),
  ]);
});

test("a service that nodes leave alone has no routes", () => {
  const view = compile(
    service({ ips: ["None"] }),
    destinationRule(),
    http({ route: [toSubset("v1", 1), toSubset("v2", 1)] }),
  );
  expect(view.explain("reviews").tier).toBe("connect");
  expect(routesOf(view)).toEqual([]);
});
