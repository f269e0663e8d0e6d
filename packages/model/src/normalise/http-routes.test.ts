import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { parseObject } from "../parse-object.ts";
import { httpRoute, type Manifest, originAt, read, toBackend } from "../testing/index.ts";

const build = (...manifests: Manifest[]) => {
  const { model, problems } = new ModelBuilder().build(read(...manifests));
  const tables = [...model.routes.values()].map(({ table }) => table);
  return { tables, problems, sources: [...model.routes.values()] };
};
const backendRefs = [toBackend("reviews")];
const ruleOf = (rule: object) =>
  build(httpRoute({ spec: { rules: [{ backendRefs, ...rule }] } })).tables[0]?.http[0];
const matchOf = (match: object) => ruleOf({ matches: [match] })?.matches[0];
const host = "reviews.default.svc.cluster.local";

test("a route for a Service is for callers in the mesh", () => {
  expect(build(httpRoute()).tables).toMatchObject([
    {
      name: `HTTPRoute/mesh/${host}`,
      namespace: "default",
      hosts: [host],
      gateways: ["mesh"],
      exportedTo: [],
      http: [
        {
          rule: "HTTPRoute default/reviews",
          matches: [],
          destinations: [{ hostname: host, port: 9080, weight: 1 }],
        },
      ],
    },
  ]);
});

test("a route from another namespace is for the callers of that", () => {
  const parentRefs = [{ group: "", kind: "Service", name: "reviews", namespace: "default" }];
  expect(build(httpRoute({ namespace: "shop", spec: { parentRefs } })).tables).toMatchObject([
    { name: `HTTPRoute/mesh/shop/${host}`, hosts: [host], exportedTo: ["shop"] },
  ]);
});

test("a parent's port is a condition of every match", () => {
  const parentRefs = [{ group: "", kind: "Service", name: "reviews", port: 9080 }];
  const rules = [{ backendRefs }, { backendRefs, matches: [{ method: "GET" }] }];
  expect(
    build(httpRoute({ spec: { parentRefs, rules } })).tables[0]?.http.map(({ matches }) => matches),
  ).toMatchObject([[{ port: 9080, method: { how: { value: "GET" } } }], [{ port: 9080 }]]);
});

test.each([
  [
    { path: { type: "Exact", value: "/a" } },
    { uri: { how: { case: "exact", value: "/a" } }, wholeSegments: false },
  ],
  [{ path: { value: "/a/" } }, { uri: { how: { case: "prefix", value: "/a" } }, wholeSegments: true }],
  [
    { path: { type: "RegularExpression", value: "/a.*" } },
    { uri: { how: { case: "regex", value: "/a.*" } } },
  ],
  [{ method: "POST" }, { method: { how: { case: "exact", value: "POST" } } }],
  [
    {
      headers: [
        { name: "X-B", value: "b" },
        { name: "x-a", type: "RegularExpression", value: "a.*" },
        { name: "x-b", value: "other" },
      ],
    },
    {
      headers: [
        { name: "x-a", value: { how: { case: "regex" } } },
        { name: "x-b", value: { how: { value: "b" } } },
      ],
    },
  ],
  [
    { queryParams: [{ name: "q", value: "1" }] },
    { queryParameters: [{ name: "q", value: { how: { value: "1" } } }] },
  ],
])("match %j", (match, expected) => {
  expect(matchOf(match)).toMatchObject(expected);
});

test('a match of all paths ("/") has no condition', () => {
  expect(matchOf({ path: { type: "PathPrefix", value: "/" } })).not.toHaveProperty("uri");
});

test("the most specific match is asked first, whichever rule or object it is from", () => {
  const rule = (name: string, ...matches: object[]) => ({ name, matches, backendRefs });
  const first = httpRoute({
    name: "b",
    spec: {
      rules: [
        rule("all"),
        rule("short", { path: { value: "/a" } }),
        rule("method", { path: { value: "/a" }, method: "GET" }),
        rule("regex", { path: { type: "RegularExpression", value: "/aaaaaaaa" } }),
      ],
    },
  });
  const second = httpRoute({
    name: "a",
    spec: {
      rules: [
        rule("long", { path: { value: "/a/b" } }),
        rule("header", { path: { value: "/a" }, headers: [{ name: "h", value: "1" }] }),
        rule("two", { path: { type: "Exact", value: "/x" } }, { path: { value: "/abcd" } }),
      ],
    },
  });
  const { tables, sources } = build(first, second);
  expect(tables[0]?.http.map(({ name }) => name)).toEqual([
    "two",
    "two",
    "long",
    "method",
    "header",
    "short",
    "all",
    "regex",
  ]);
  expect(sources[0]?.http[0]).toMatchObject({
    object: { metadata: { name: "a" } },
    path: ["spec", "rules", 2],
  });
});

test.each([
  [
    "weights",
    { backendRefs: [toBackend("a", 9), toBackend("b", 0)] },
    { destinations: [{ weight: 9 }, { weight: 0 }] },
  ],
  [
    "no backend that gets anything",
    { backendRefs: [toBackend("a", 0)] },
    { destinations: [], directResponse: { status: 500 } },
  ],
  ["no backend", { backendRefs: [] }, { destinations: [], directResponse: { status: 500 } }],
  ["timeouts", { timeouts: { request: "10s" } }, { timeoutMs: 10_000n }],
  ["a timeout of backends", { timeouts: { backendRequest: "2s" } }, { timeoutMs: 2000n }],
  [
    "retries",
    {
      retry: { attempts: 3, codes: [503], backoff: "100ms" },
      timeouts: { request: "10s", backendRequest: "2s" },
    },
    {
      timeoutMs: 10_000n,
      retries: {
        attempts: 3,
        perTryTimeoutMs: 2000n,
        backoffMs: 100n,
        retryOn: expect.stringMatching(/^connect-failure,.*,503$/),
      },
    },
  ],
  [
    "headers",
    {
      filters: [
        {
          type: "RequestHeaderModifier",
          requestHeaderModifier: {
            set: [
              { name: "b", value: "2" },
              { name: "a", value: "1" },
            ],
            remove: ["c"],
          },
        },
        { type: "ResponseHeaderModifier", responseHeaderModifier: { add: [{ name: "d", value: "3" }] } },
      ],
    },
    { requestHeaders: { set: { a: "1", b: "2" }, remove: ["c"] }, responseHeaders: { add: { d: "3" } } },
  ],
  [
    "a mirror",
    {
      filters: [
        {
          type: "RequestMirror",
          requestMirror: { backendRef: toBackend("ratings"), fraction: { numerator: 1, denominator: 8 } },
        },
      ],
    },
    {
      mirrors: [
        { percent: 12.5, destination: { hostname: "ratings.default.svc.cluster.local", port: 9080 } },
      ],
    },
  ],
  [
    "a rewrite of the prefix",
    {
      matches: [{ path: { value: "/a" } }],
      filters: [
        {
          type: "URLRewrite",
          urlRewrite: { hostname: "h.b", path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/b/" } },
        },
      ],
    },
    { rewrite: { uri: "/b", authority: "h.b" } },
  ],
  [
    "a rewrite that takes the prefix away",
    {
      matches: [{ path: { value: "/a.b" } }],
      filters: [
        { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
      ],
    },
    { rewrite: { uri: "", regex: "^/a\\.b(/?)(.*)", substitution: "/\\2" } },
  ],
  [
    "a rewrite of the path",
    {
      filters: [
        { type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/b" } } },
      ],
    },
    { rewrite: { regex: "/.*", substitution: "/b" } },
  ],
])("%s", (_, rule, expected) => {
  expect(ruleOf(rule)).toMatchObject(expected);
});

test.each([
  [{ hostname: "a.b" }, { authority: "a.b", code: 302, portFromRequest: true }],
  [
    { scheme: "https", statusCode: 301 },
    { scheme: "https", code: 301, portFromRequest: false, port: 0 },
  ],
  [
    { port: 8443, path: { type: "ReplaceFullPath", replaceFullPath: "/x" } },
    { port: 8443, uri: "/x" },
  ],
  [{ path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" } }, { prefixRewrite: "/x" }],
])("redirect %j", (requestRedirect, expected) => {
  const made = ruleOf({ backendRefs: [], filters: [{ type: "RequestRedirect", requestRedirect }] });
  expect(made).toMatchObject({ redirect: expected, destinations: [] });
  expect(made).not.toHaveProperty("directResponse");
});

test.each([
  ["a filter", { filters: [{ type: "CORS", cors: {} }] }, "spec.rules[0].filters", 0],
  [
    "another kind of backend",
    { backendRefs: [{ kind: "Bucket", name: "a" }] },
    "spec.rules[0].backendRefs[0]",
    1,
  ],
])("%s that is not supported does not widen the rule, and is told", (_, rule, field, count) => {
  const { tables, problems } = build(httpRoute({ spec: { rules: [{ backendRefs, ...rule }] } }));
  expect(tables[0]?.http).toHaveLength(count);
  expect(problems).toMatchObject([{ severity: "error", field }]);
});

test("a backend may be a host of a ServiceEntry", () => {
  const rules = [
    { backendRefs: [{ group: "networking.istio.io", kind: "Hostname", name: "api.example.com", port: 443 }] },
  ];
  expect(build(httpRoute({ spec: { rules } })).tables[0]?.http[0]?.destinations).toMatchObject([
    { hostname: "api.example.com", port: 443 },
  ]);
});

test.each<[object, RegExp]>([
  [{ rules: [{ backendRefs: [{ name: "a" }] }] }, /backendRefs\[0\]\.port: is required/],
  [{ rules: [{ backendRefs: [toBackend("a.b")] }] }, /is not the name of a Service/],
  [{ rules: [{ filters: [{ type: "Magic" }] }] }, /"Magic" is none of/],
  [{ rules: [{ filters: [{ type: "URLRewrite" }] }] }, /type URLRewrite needs urlRewrite/],
  [
    { rules: [{ backendRefs, filters: [{ type: "RequestRedirect", requestRedirect: {} }] }] },
    /excludes backendRefs/,
  ],
  [{ rules: [{ matches: [{ path: { value: "a" } }] }] }, /does not begin with "\/"/],
  [{ parentReferences: [] }, /unknown field "parentReferences"/],
])("%j is refused", (spec, message) => {
  const { problems, object } = parseObject(httpRoute({ spec: { ...spec } }), originAt("a.yaml"));
  expect(object).toBeUndefined();
  expect(problems.map(({ field, message: text }) => `${field}: ${text}`)).toEqual([
    expect.stringMatching(message),
  ]);
});
