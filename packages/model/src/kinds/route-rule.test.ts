import { expect, test } from "vitest";
import { parseObject } from "../parse-object.ts";
import { originAt, type RouteRuleFields, readAs, routeRule, toVersion } from "../testing/manifests.ts";

const parse = (fields: RouteRuleFields) => parseObject(routeRule(fields), originAt("a.yaml"));
const specOf = (fields: RouteRuleFields) => readAs("RouteRule", routeRule(fields)).body.spec;
const problemsOf = (fields: RouteRuleFields): string[] =>
  parse(fields).problems.map(({ field, message }) => `${field}: ${message}`);

const tooMuch = [toVersion("v1", 80), toVersion("v2", 21)];

test.each<[string, RouteRuleFields, string]>([
  ["weights over 100", { route: tooMuch }, "spec.route: weights add up to 101, not to 100"],
  [
    "weights missing",
    { route: [toVersion("v1"), toVersion("v2")] },
    "spec.route: weights add up to 0, not to 100",
  ],
  [
    "one weight that is not 100",
    { route: [toVersion("v1", 50)] },
    "spec.route: weights add up to 50, not to 100",
  ],
  ["no destination", { destination: {} }, "spec.destination: needs a name (or a service)"],
  [
    "name and service",
    { destination: { name: "reviews", service: "reviews.example.com" } },
    "spec.destination.service: stands beside name, namespace or domain; use one or the other",
  ],
  [
    "labels at the destination",
    { destination: { name: "reviews", labels: { version: "v1" } } },
    "spec.destination.labels: a rule is for a whole service; put labels below spec.route",
  ],
  [
    "another service without a name",
    { route: [{ destination: { namespace: "other" } }] },
    "spec.route[0].destination: needs a name (or a service)",
  ],
  [
    "a caller without a name",
    { spec: { match: { source: { labels: { version: "v1" } } } } },
    "spec.match.source: needs a name (or a service)",
  ],
  [
    "redirect with route",
    { route: [toVersion("v1")], spec: { redirect: { uri: "/" } } },
    "spec.redirect: a redirect excludes route, rewrite, httpFault and websocketUpgrade",
  ],
  [
    "redirect with WebSocket",
    { spec: { redirect: { uri: "/" }, websocketUpgrade: true } },
    "spec.redirect: a redirect excludes route, rewrite, httpFault and websocketUpgrade",
  ],
  ["an empty redirect", { spec: { redirect: {} } }, "spec.redirect: needs a uri, an authority or both"],
  ["an empty rewrite", { spec: { rewrite: { uri: "" } } }, "spec.rewrite: needs a uri, an authority or both"],
])("%s", (_, fields, text) => {
  expect(parse(fields).object).toBeUndefined();
  expect(problemsOf(fields)).toEqual([text]);
});

test.each<[string, RouteRuleFields, RegExp]>([
  ["a weight below 0", { route: [toVersion("v1", -1)] }, /^spec\.route\[0\]\.weight: .*>=0 \(found -1\)$/],
  ["half a percent", { route: [toVersion("v1", 0.5)] }, /^spec\.route\[0\]\.weight: .*int.*\(found 0\.5\)$/],
  [
    "a label with a comma",
    { route: [toVersion("v1,zone=a")] },
    /^spec\.route\[0\]\.labels\.version: may hold/,
  ],
  [
    "a label's key with =",
    { route: [{ labels: { "a=b": "c" } }] },
    /^spec\.route\[0\]\.labels\.a=b: may hold letters.*\(found "a=b"\)$/,
  ],
  [
    "a service's name in capitals",
    { destination: "Reviews" },
    /^spec\.destination\.name: is not a DNS label/,
  ],
  [
    "a hostname with |",
    { destination: { service: "a|b" } },
    /^spec\.destination\.service: is not a domain name/,
  ],
  [
    "a header in capitals",
    { spec: { match: { request: { headers: { Cookie: { exact: "a" } } } } } },
    /^spec\.match\.request\.headers\.Cookie: is not a header's name in lower case/,
  ],
  [
    "two ways to match",
    { spec: { match: { request: { headers: { cookie: { exact: "a", prefix: "b" } } } } } },
    /^spec\.match\.request\.headers\.cookie: needs exactly one of exact, prefix and regex/,
  ],
  [
    "a time without a unit",
    { spec: { httpReqTimeout: { simpleTimeout: { timeout: "10" } } } },
    /^spec\.httpReqTimeout\.simpleTimeout\.timeout: is not a duration.*\(found "10"\)$/,
  ],
  [
    "a status that no server sends",
    { spec: { httpFault: { abort: { percent: 100, httpStatus: 42 } } } },
    /^spec\.httpFault\.abort\.httpStatus: .*>=200 \(found 42\)$/,
  ],
])("%s", (_, fields, text) => {
  expect(problemsOf(fields)).toEqual([expect.stringMatching(text)]);
});

test("a single destination may leave its weight out, or say 100", () => {
  expect(problemsOf({ route: [toVersion("v1")] })).toEqual([]);
  expect(problemsOf({ route: [toVersion("v1", 100)] })).toEqual([]);
  expect(problemsOf({ route: [toVersion("v1", 80), toVersion("v2", 20)] })).toEqual([]);
});

test("precedence is any 32-bit number, as Pilot takes it", () => {
  for (const precedence of [-2_147_483_648, 0, 2_147_483_647])
    expect(specOf({ precedence }).precedence).toBe(precedence);
  expect(problemsOf({ precedence: 2_147_483_648 })).toHaveLength(1);
});

test("fields may be written in snake_case; the keys of labels and headers stay as they are", () => {
  const spec = specOf({
    route: [{ labels: { my_label: "v1" } }],
    spec: {
      match: { request: { headers: { user_agent: { exact: "a_b" } } } },
      http_req_timeout: { simple_timeout: { timeout: "1.5s" } },
      http_fault: { delay: { fixed_delay: "1m30s", percent: 10 }, abort: { http_status: 503 } },
      websocket_upgrade: true,
    },
  });
  expect(spec).toMatchObject({
    route: [{ labels: { my_label: "v1" } }],
    match: { request: { headers: { user_agent: { exact: "a_b" } } } },
    httpReqTimeout: { simpleTimeout: { timeout: "1.5s" } },
    httpFault: { delay: { fixedDelay: "1m30s" }, abort: { httpStatus: 503 } },
    websocketUpgrade: true,
  });
});

test("a field that is written both ways is refused, whatever the order", () => {
  const [snake, camel] = [{ websocket_upgrade: true }, { websocketUpgrade: false }];
  for (const spec of [
    { ...snake, ...camel },
    { ...camel, ...snake },
  ]) {
    expect(problemsOf({ spec })).toEqual([
      'spec.websocket_upgrade: unknown field "websocket_upgrade"; did you mean "websocketUpgrade"?',
    ]);
  }
});
