import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { type IstioFields, type Manifest, read, virtualService } from "../testing/index.ts";

const build = (...manifests: Manifest[]) => {
  const { model, problems } = new ModelBuilder().build(read(...manifests));
  const source = model.routes.get("VirtualService/default/reviews");
  return { source, http: source?.table.http ?? [], problems };
};
const to = (host: string) => ({ route: [{ destination: { host } }] });
const delegate = (http: object[], fields: IstioFields = {}): Manifest =>
  virtualService({ name: "part", ...fields, spec: { hosts: [], http, ...fields.spec } });
const root = (...http: object[]): Manifest => virtualService({ spec: { http } });
const delegating = (more: object = {}) => ({ delegate: { name: "part" }, ...more });
const matchesOf = (outer: object[], inner: object[]) =>
  build(root(delegating({ match: outer })), delegate([{ ...to("a"), match: inner }]));

test("a delegate's routes stand in the place of the route that names it, and are the delegate's own", () => {
  const { http, source, problems } = build(
    root({ name: "first", match: [{ port: 1 }], ...to("reviews") }, delegating(), {
      name: "last",
      ...to("reviews"),
    }),
    delegate([
      { name: "a", match: [{ port: 2 }], ...to("a") },
      { name: "b", ...to("b") },
    ]),
  );
  expect(http.map(({ name }) => name)).toEqual(["first", "a", "b", "last"]);
  expect(http[1]).toMatchObject({ rule: "VirtualService default/part", matches: [{ port: 2 }] });
  expect(source?.http.map(({ object, path }) => [object.metadata.name, path[2]])).toEqual([
    ["reviews", 0],
    ["part", 0],
    ["part", 1],
    ["reviews", 2],
  ]);
  expect(problems).toEqual([]);
});

test("short names are of the delegate's namespace", () => {
  const { http } = build(
    root({ delegate: { name: "part", namespace: "shop" } }),
    delegate([to("cart")], { namespace: "shop" }),
  );
  expect(http[0]?.destinations[0]?.hostname).toBe("cart.shop.svc.cluster.local");
});

test("conditions of both must hold", () => {
  const outer = { uri: { prefix: "/a" }, headers: { x: { exact: "1" } }, sourceLabels: { app: "p" } };
  const inner = {
    uri: { prefix: "/a/b" },
    method: { exact: "GET" },
    headers: { y: {} },
    sourceNamespace: "n",
    port: 80,
  };
  expect(matchesOf([outer], [inner]).http[0]?.matches).toMatchObject([
    {
      uri: { how: { case: "prefix", value: "/a/b" } },
      method: { how: { value: "GET" } },
      headers: [{ name: "x" }, { name: "y" }],
      source: { labels: { app: "p" }, namespace: "n" },
      port: 80,
    },
  ]);
});

test("each of the delegate's matches is joined with each of the route's that it narrows", () => {
  const { http } = matchesOf(
    [{ uri: { prefix: "/a" } }, { uri: { prefix: "/b" } }],
    [{ uri: { exact: "/a/x" } }, { method: { exact: "GET" } }],
  );
  expect(http[0]?.matches.map(({ uri, method }) => [uri?.how.value, method?.how.value])).toEqual([
    ["/a/x", undefined],
    ["/a", "GET"],
    ["/b", "GET"],
  ]);
});

test.each<[string, object, object]>([
  ["another path", { uri: { prefix: "/a" } }, { uri: { prefix: "/b" } }],
  ["a wider path", { uri: { exact: "/a" } }, { uri: { prefix: "/a" } }],
  ["regular expressions", { uri: { prefix: "/a" } }, { uri: { regex: "/a.*" } }],
  ["another method", { method: { exact: "GET" } }, { method: { exact: "POST" } }],
  ["another value of a header", { headers: { a: { exact: "1" } } }, { headers: { a: { exact: "2" } } }],
  [
    "another value of a parameter",
    { queryParams: { a: { exact: "1" } } },
    { queryParams: { a: { exact: "2" } } },
  ],
  ["another port", { port: 1 }, { port: 2 }],
  ["other callers", { sourceLabels: { a: "1" } }, { sourceLabels: { a: "2" } }],
  ["callers of all namespaces", { sourceNamespace: "n" }, {}],
  ["another gateway", { gateways: ["a"] }, { gateways: ["b"] }],
  ["another case", { ignoreUriCase: true }, { uri: { exact: "/a" } }],
])("a delegate's route for %s is left out, and told", (_, outer, inner) => {
  const { http, problems } = matchesOf([outer], [inner]);
  expect(http).toEqual([]);
  expect(problems).toMatchObject([
    { severity: "warning", object: "VirtualService default/part", field: "spec.http[0].match" },
  ]);
});

test("what the delegate does not say, the route says", () => {
  const own = { timeout: "1s", retries: { attempts: 1 } };
  const { http } = build(
    root(
      delegating({
        name: "r",
        timeout: "5s",
        fault: { abort: { httpStatus: 500, percentage: { value: 1 } } },
        mirror: { host: "m" },
      }),
    ),
    delegate([{ name: "d", ...to("a"), ...own }, to("b")]),
  );
  expect(http).toMatchObject([
    {
      name: "r-d",
      timeoutMs: 1000n,
      retries: { attempts: 1 },
      fault: { httpStatus: 500 },
      mirrors: [{ percent: 100 }],
    },
    { name: "r", timeoutMs: 5000n, fault: { httpStatus: 500 } },
  ]);
});

test.each<[string, Manifest[], RegExp]>([
  ["is not there", [], /there is no VirtualService default\/part/],
  [
    "has hosts",
    [virtualService({ name: "part", spec: { hosts: ["a.com"] } })],
    /there is no VirtualService default\/part without hosts/,
  ],
  [
    "is not exported",
    [delegate([to("a")], { spec: { exportTo: ["other"] } })],
    /that namespace default sees/,
  ],
])("a delegate that %s: the route is left out, and told", (_, others, message) => {
  const { http, problems } = build(root(delegating(), { name: "last", ...to("reviews") }), ...others);
  expect(http.map(({ name }) => name)).toEqual(["last"]);
  expect(problems[0]).toMatchObject({
    field: "spec.http[0].delegate",
    message: expect.stringMatching(message),
  });
});

test("a delegate has no delegates, and one that nobody names is told", () => {
  const nested = build(root(delegating()), delegate([{ delegate: { name: "other" } }]));
  expect(nested.problems).toMatchObject([{ severity: "error", field: "spec.http[0].delegate" }]);
  expect(build(root(to("reviews")), delegate([to("a")])).problems).toMatchObject([
    { object: "VirtualService default/part", message: expect.stringContaining("no VirtualService names it") },
  ]);
});
