import { expect, test } from "vitest";
import { parseObject } from "../parse-object.ts";
import { type IstioFields, originAt, virtualService } from "../testing/index.ts";

/** "error spec.http[0]: needs a route …" */
const problemsOf = (spec: IstioFields["spec"]): string[] =>
  parseObject(virtualService({ ...(spec && { spec }) }), originAt("a.yaml")).problems.map(
    ({ severity, field, message }) => `${severity} ${field}: ${message}`,
  );

const route = [{ destination: { host: "reviews" } }];

test.each(["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"])(
  "%s is read",
  (apiVersion) => {
    const { object, problems } = parseObject(virtualService({ apiVersion }), originAt("a.yaml"));
    expect(problems).toEqual([]);
    expect(object?.apiVersion).toBe(apiVersion);
  },
);

test("an unknown field is an error, with the field that was most likely meant", () => {
  expect(problemsOf({ http: [{ route, timout: "5s" }] })).toEqual([
    'error spec.http[0].timout: unknown field "timout"; did you mean "timeout"?',
  ]);
  expect(problemsOf({ http: [{ match: [{ uri: { prefx: "/" } }], route }] })[0]).toMatch(
    /spec\.http\[0\]\.match\[0\]\.uri\.prefx: unknown field "prefx"; did you mean "prefix"/,
  );
});

test("a field that says null says nothing, and the status is the cluster's own", () => {
  const manifest = virtualService({ spec: { http: [{ match: null, timeout: null, route }] } });
  expect(parseObject({ ...manifest, status: { conditions: [] } }, originAt("a.yaml")).problems).toEqual([]);
});

const redirect = { uri: "/new" };
test.each<[string, IstioFields["spec"], RegExp]>([
  ["needs hosts inside the mesh", { hosts: ["*"] }, /spec\.hosts\[0\]: "\*" is for gateways only/],
  [
    "names a host once",
    { hosts: ["*.com", "a.com"] },
    /spec\.hosts\[1\]: a\.com and \*\.com stand for the same/,
  ],
  ["needs routes", { http: [] }, /spec: needs http, tcp or tls/],
  ["needs something to do", { http: [{}] }, /spec\.http\[0\]: needs a route, a redirect or a directResponse/],
  ["either redirects or routes", { http: [{ route, redirect }] }, /http\[0\]\.route: stands beside redirect/],
  [
    "either answers or routes",
    { http: [{ route, directResponse: { status: 503 } }] },
    /stands beside directResponse/,
  ],
  ["redirects to somewhere", { http: [{ redirect: {} }] }, /http\[0\]\.redirect: needs a uri/],
  [
    "knows redirect codes",
    { http: [{ redirect: { ...redirect, redirectCode: 305 } }] },
    /expected one of 301/,
  ],
  [
    "sets headers to values of one line",
    { http: [{ route, headers: { response: { set: { "x-made": "a\nb" } } } }] },
    /http\[0\]\.headers\.response\.set\.x-made: is not a header's value/,
  ],
  [
    "adds no NUL to a destination's headers",
    { http: [{ route: [{ ...route[0], headers: { request: { add: { "x-made": "a\0" } } } }] }] },
    /http\[0\]\.route\[0\]\.headers\.request\.add\.x-made: is not a header's value/,
  ],
  ["rewrites to something", { http: [{ route, rewrite: {} }] }, /http\[0\]\.rewrite: needs a uri/],
  [
    "has a fault that says what",
    { http: [{ route, fault: {} }] },
    /http\[0\]\.fault: needs a delay or an abort/,
  ],
  [
    "compares in one way",
    { http: [{ route, match: [{ uri: { exact: "/", prefix: "/" } }] }] },
    /needs exactly one/,
  ],
  [
    "has labels as Kubernetes",
    { http: [{ route, match: [{ sourceLabels: { "a=b": "c" } }] }] },
    /not a label's name/,
  ],
  ["has weights", { http: [{ route: [...route, ...route] }] }, /http\[0\]\.route: the weights add up to 0/],
  ["has destinations", { tcp: [{}] }, /spec\.tcp\[0\]\.route: is required/],
  ["matches TLS names", { tls: [{ route, match: [{}] }] }, /tls\[0\]\.match\[0\]\.sniHosts: is required/],
  [
    "matches its own TLS names",
    { tls: [{ route, match: [{ sniHosts: ["b.com"] }] }] },
    /sniHosts: b\.com is not among the hosts of the rule \(reviews\)/,
  ],
  ["is exported once", { exportTo: ["*", "a"] }, /spec\.exportTo: "\*" and "~" stand alone/],
  ["has durations", { http: [{ route, timeout: "soon" }] }, /http\[0\]\.timeout: is not a duration/],
  [
    "mirrors in one way",
    { http: [{ route, mirror: { host: "a" }, mirrors: [{ destination: { host: "b" } }] }] },
    /mirror/,
  ],
  [
    "has only http as a delegate",
    { hosts: [], gateways: ["a"] },
    /spec\.gateways: a VirtualService without hosts is a delegate/,
  ],
])("a VirtualService %s", (_, spec, message) => {
  const problems = problemsOf(spec);
  expect(problems).toEqual([expect.stringMatching(message)]);
  expect(problems[0]).toMatch(/^error /);
});

test("a route behind one that takes everything is told", () => {
  expect(problemsOf({ http: [{ match: [{ port: 80 }], route }, { route }, { route }] })).toEqual([
    "warning spec.http[2]: is never asked: http[1] has no match, and takes every request",
  ]);
});

test("an abort without a status is told", () => {
  expect(problemsOf({ http: [{ route, fault: { abort: { percentage: { value: 10 } } } }] })).toEqual([
    expect.stringMatching(/^warning spec\.http\[0\]\.fault\.abort: has no effect/),
  ]);
});
