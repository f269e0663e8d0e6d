import { application, routeRule, service, toVersion, virtualService } from "@keelson/model/testing";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

const [, ...behind] = application("reviews");

/** Why and where a port named so is to be decided, with a rule of this spec. */
const tierOf = (portName: string, fields: Parameters<typeof routeRule>[0] | undefined) =>
  compile(
    service({ ports: [{ name: portName, port: 9080 }] }),
    ...behind,
    ...(fields === undefined ? [] : [routeRule(fields)]),
  ).explain("reviews");

const weights = { route: [toVersion("v1", 80), toVersion("v2", 20)] };
const oneTarget = { route: [toVersion("v1", 100), toVersion("v2", 0)] };
const cookie = { spec: { match: { request: { headers: { cookie: { exact: "a" } } } } } };
const timeout = { spec: { httpReqTimeout: { simpleTimeout: { timeout: "1s" } } } };

test.each(["http", "http2", "grpc", "grpc-web", "https", "tls", "tcp", "mongo", "mysql", "redis", "unnamed"])(
  "%s without a rule, or with one target, is decided per connection",
  (name) => {
    expect(tierOf(name, undefined)).toMatchObject({ wantedTier: "connect", tier: "connect" });
    expect(tierOf(name, oneTarget)).toMatchObject({ wantedTier: "connect", tier: "connect" });
  },
);

test.each(["https", "tls", "tcp", "mongo", "mysql", "redis"])("%s is not looked into", (name) => {
  for (const fields of [weights, cookie, timeout]) {
    expect(tierOf(name, fields)).toMatchObject({
      wantedTier: "connect",
      tier: "connect",
      why: `${name} is decided once per connection`,
    });
  }
});

test.each([
  ["http", "kernel"],
  ["http_proxy", "kernel"],
  ["http2", "relay"],
  ["grpc", "relay"],
  ["grpc-web", "relay"],
])("%s per request wants the %s tier, and is the relay's", (name, wantedTier) => {
  expect(tierOf(name, weights)).toMatchObject({
    wantedTier,
    tier: "relay",
    why: expect.stringMatching(
      /^weights over 2 destinations .* without a relay decides every connection once/,
    ),
  });
  expect(tierOf(name, cookie)).toMatchObject({
    wantedTier,
    tier: "relay",
    why: expect.stringMatching(/^RouteRule default\/reviews-rule matches on requests/),
  });
});

test("what only the relay can do wants the relay", () => {
  expect(tierOf("http", { ...weights, ...timeout })).toMatchObject({
    wantedTier: "relay",
    tier: "relay",
    why: expect.stringMatching(/^spec\.httpReqTimeout needs the relay/),
  });
});

test("a rule behind one that takes everything asks for nothing", () => {
  const view = compile(
    ...application("reviews"),
    routeRule({ name: "a", precedence: 2, route: [toVersion("v1")] }),
    routeRule({ name: "b", precedence: 1, ...weights, ...timeout }),
  );
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "connect",
    why: "all requests go to one destination",
  });
  expect(view.problems).toEqual([]);
});

test("what the kernel would look at is one automaton", () => {
  expect(tierOf("http", cookie)).toMatchObject({
    wantedTier: "kernel",
    matching: expect.stringMatching(/^one automaton of \d+ entries \(\d+ KiB\), of at most 2097152$/),
  });
  expect(tierOf("http", oneTarget)).not.toHaveProperty("matching");
});

test("a condition that the kernel does not look at wants the relay", () => {
  const queryParams = { a: { exact: "1" } };
  const view = compile(
    ...application("reviews"),
    virtualService({
      spec: { http: [{ match: [{ queryParams }], route: [{ destination: { host: "reviews" } }] }] },
    }),
  );
  expect(view.explain("reviews")).toMatchObject({
    wantedTier: "relay",
    why: expect.stringMatching(/^VirtualService default\/reviews looks at query parameters; a node without/),
  });
});
