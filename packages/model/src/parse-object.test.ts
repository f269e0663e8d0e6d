import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatLocation, type Problem } from "./config-object.ts";
import { parseObject } from "./parse-object.ts";
import { type Manifest, originAt, pod, routeRule, service, slice } from "./testing/manifests.ts";

const parse = (value: unknown) => parseObject(value, originAt("a.yaml", 7));
const texts = (problems: readonly Problem[]): string[] =>
  problems.map(({ field, message }) => `${field}: ${message}`);

test.each([service(), slice(), pod(), routeRule()])("$kind is read", (manifest) => {
  const { object, problems } = parse(manifest);
  expect(problems).toEqual([]);
  expect(object).toMatchObject({
    kind: manifest.kind,
    metadata: { namespace: "default", uid: expect.any(String) },
  });
});

test("an object without a namespace belongs to default, as with kubectl", () => {
  const { metadata, ...rest } = pod();
  const { namespace: _, ...unplaced } = metadata;
  expect(parse({ ...rest, metadata: unplaced }).object?.metadata.namespace).toBe("default");
});

test.each([
  ["text", 'is not an object with apiVersion and kind, but "text"'],
  [null, "is not an object with apiVersion and kind, but null"],
  [["a"], 'is not an object with apiVersion and kind, but ["a"]'],
  [{ apiVersion: "v1" }, 'has no "kind"'],
  [{ apiVersion: "v1", kind: 7 }, 'has no "kind"'],
])("%j is no object", (value, message) => {
  const { object, problems } = parse(value);
  expect(object).toBeUndefined();
  expect(texts(problems)).toEqual([`: ${message}`]);
});

test("a kind that is not read is a warning, with the kind that was most likely meant", () => {
  const { object, problems } = parse({ apiVersion: "config.istio.io/v1alpha2", kind: "RouteRules" });
  expect(object).toBeUndefined();
  expect(problems).toMatchObject([
    {
      severity: "warning",
      field: "kind",
      message: "kind RouteRules is not read and has no effect; did you mean RouteRule?",
      object: "RouteRules default/(no name)",
    },
  ]);
  expect(parse({ kind: "Deployment" }).problems[0]?.message).toBe(
    "kind Deployment is not read and has no effect",
  );
});

test.each([["networking.istio.io/v1"], [undefined], [1], [{ toString: 1, valueOf: 1 }]])(
  "apiVersion %j is refused, and the right one said",
  (apiVersion) => {
    const { object, problems } = parse({ ...routeRule(), apiVersion });
    expect(object).toBeUndefined();
    expect(problems).toMatchObject([{ severity: "error", field: "apiVersion" }]);
    expect(problems[0]?.message).toMatch(/is not read for kind RouteRule; use config\.istio\.io\/v1alpha2$/);
  },
);

test.each([
  [{ presedence: 1 }, 'spec.presedence: unknown field "presedence"; did you mean "precedence"?'],
  [{ zzz: 1 }, 'spec.zzz: unknown field "zzz"'],
  [
    { match: { request: { header: {} } } },
    'spec.match.request.header: unknown field "header"; did you mean "headers"?',
  ],
  [
    { route: [{ label: { version: "v1" } }] },
    'spec.route[0].label: unknown field "label"; did you mean "labels"?',
  ],
  [
    { match: { request: { headers: { cookie: { regexp: "a" } } } } },
    'spec.match.request.headers.cookie.regexp: unknown field "regexp"; did you mean "regex"?',
  ],
])("an unknown field in %j", (spec, text) => {
  expect(texts(parse(routeRule({ spec })).problems)).toContain(text);
});

test("every problem of an object is told at once, with the value found", () => {
  const wrong: Manifest = {
    ...service({ ports: [{ port: 0, targetPort: [] }, { name: "http" }] }),
    metadata: { name: "Reviews", namespace: "a.b" },
  };
  const { object, problems } = parse(wrong);
  expect(object).toBeUndefined();
  expect(texts(problems)).toEqual([
    expect.stringMatching(/^metadata\.name: is not a DNS subdomain .*\(found "Reviews"\)$/),
    expect.stringMatching(/^metadata\.namespace: is not a DNS label .*\(found "a\.b"\)$/),
    expect.stringMatching(/^spec\.ports\[0\]\.port: .*>=1 \(found 0\)$/),
    "spec.ports[0].targetPort: is neither a port's number (1–65535) nor its name (found [])",
    "spec.ports[1].port: is required",
  ]);
  expect(problems.map(({ location }) => formatLocation(location))).toEqual(Array(5).fill("a.yaml:7:1"));
});

test("a long value is cut in the message", () => {
  const { problems } = parse({ ...pod(), spec: { nodeName: ["x".repeat(1_000)] } });
  expect(problems[0]?.message.length).toBeLessThan(150);
});

test("an object that contains itself, or is nested too deeply, is refused", () => {
  const circle: Record<string, unknown> = {};
  circle["x"] = [circle, circle];
  const deep = JSON.parse(`${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`) as unknown;
  for (const l4Fault of [circle, deep]) {
    const { object, problems } = parse(routeRule({ spec: { l4Fault } }));
    expect(object).toBeUndefined();
    expect(texts(problems)).toEqual([": is nested deeper than 200 levels, or contains itself"]);
  }
});

test("no value whatever makes it throw", () => {
  const kinds = fc.constantFrom("Service", "EndpointSlice", "Pod", "RouteRule", "List");
  const apiVersions = fc.constantFrom("v1", "discovery.k8s.io/v1", "config.istio.io/v1alpha2");
  const metadata = fc.oneof(fc.jsonValue(), fc.record({ name: fc.string(), labels: fc.jsonValue() }));
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        kind: fc.oneof(kinds, fc.jsonValue()),
        apiVersion: fc.oneof(apiVersions, fc.jsonValue()),
        metadata,
        spec: fc.oneof(
          fc.jsonValue(),
          fc.dictionary(fc.constantFrom("route", "match", "ports"), fc.jsonValue()),
        ),
        endpoints: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(anything, (value) => {
      const { object, problems } = parse(value);
      expect(object === undefined).toBe(
        problems.some(({ severity }) => severity === "error") || problems.length > 0,
      );
    }),
    { numRuns: 1_000 },
  );
});
