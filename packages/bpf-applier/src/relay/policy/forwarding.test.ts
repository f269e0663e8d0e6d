import { describe, expect, test } from "vitest";
import { backoffMs, retryPlan, shouldRetry } from "./retries.ts";
import { forwarded, type PolicyInit, portRoute, type RouteInit, routerOf, to } from "./testing/builders.ts";
import type { Outcome } from "./types.ts";
import { xxhash64 } from "./xxhash64.ts";

const forwardedBy = (route: RouteInit, headers: readonly string[] = [], policy?: PolicyInit, path = "/") =>
  forwarded(routerOf(portRoute({ destinations: to("v1"), ...route }, policy)), {
    headers,
    path,
    random: () => 0,
  });

test("an answer is awaited as long as the rule says, else as long as a gRPC caller asks for, else for ever", () => {
  expect(forwardedBy({ timeoutMs: 1500n }, ["grpc-timeout", "1S"]).limit).toEqual({
    milliseconds: 1500,
    status: 504,
    grpcStatus: 14,
  });
  expect(forwardedBy({}, ["Grpc-Timeout", "20S"]).limit).toEqual({
    milliseconds: 20_000,
    status: 504,
    grpcStatus: 4,
  });
  expect(forwardedBy({}, ["grpc-timeout", "10u"]).limit).toEqual({
    milliseconds: 1,
    status: 504,
    grpcStatus: 4,
  });
  expect(forwardedBy({}, ["grpc-timeout", "soon"]).limit).toBeUndefined();
  expect(forwardedBy({ timeoutMs: 0n }).limit).toBeUndefined();
});

describe("a request is tried again", () => {
  const answered = (status: number, ...rawHeaders: string[]): Outcome => ({
    kind: "answer",
    status,
    rawHeaders,
  });
  const reset: Outcome = { kind: "reset", requestSent: true };
  const unsent: Outcome = { kind: "reset", requestSent: false };
  const refused: Outcome = { kind: "connectFailure" };
  const timeout: Outcome = { kind: "timeout" };
  const all: readonly Outcome[] = [
    ...[200, 404, 409, 500, 502, 503].map((status) => answered(status)),
    answered(200, "grpc-status", "14"),
    answered(200, "grpc-status", "1"),
    reset,
    unsent,
    refused,
    { kind: "refusedStream" },
    timeout,
    { kind: "overflow" },
    { kind: "abandoned" },
  ];
  const noAnswer = [reset, unsent, refused, { kind: "refusedStream" }, timeout] as const;

  test.each<[string, readonly Outcome[]]>([
    [
      "",
      [
        answered(200, "grpc-status", "14"),
        answered(200, "grpc-status", "1"),
        refused,
        { kind: "refusedStream" },
      ],
    ],
    ["5xx", [answered(500), answered(502), answered(503), ...noAnswer]],
    ["gateway-error", [answered(502), answered(503), ...noAnswer]],
    ["connect-failure", [refused]],
    ["refused-stream", [{ kind: "refusedStream" }]],
    ["reset", noAnswer],
    ["reset-before-request", [unsent, refused]],
    ["retriable-4xx", [answered(409)]],
    [
      "404, 200",
      [answered(200), answered(404), answered(200, "grpc-status", "14"), answered(200, "grpc-status", "1")],
    ],
    ["unavailable", [answered(200, "grpc-status", "14")]],
  ])("on %j after what that stands for", (retryOn, wanted) => {
    const { retries } = forwardedBy({ retries: { attempts: 1, retryOn } });
    expect(all.filter((outcome) => shouldRetry(retries, 0, outcome))).toEqual(
      all.filter((one) => includes(wanted, one)),
    );
  });

  const includes = (some: readonly Outcome[], one: Outcome): boolean =>
    some.some((other) => JSON.stringify(other) === JSON.stringify(one));

  test("as often as the rule says, twice without one, never where it says 0", () => {
    const often = (retries: RouteInit["retries"]) => {
      const plan = forwardedBy(retries ? { retries } : {}).retries;
      return [0, 1, 2, 3].filter((done) => shouldRetry(plan, done, refused)).length;
    };
    expect([often(undefined), often({ attempts: 3 }), often({ attempts: 0 })]).toEqual([2, 3, 0]);
  });

  test("not at once where the server limits a rate", () => {
    const limited = answered(503, "x-envoy-ratelimited", "true");
    expect(shouldRetry(forwardedBy({ retries: { attempts: 1, retryOn: "5xx" } }).retries, 0, limited)).toBe(
      false,
    );
    const { retries } = forwardedBy({ retries: { attempts: 1, retryOn: "envoy-ratelimited" } });
    expect(shouldRetry(retries, 0, limited)).toBe(true);
  });

  test("after a pause that may be twice as long each time, up to ten times the first", () => {
    const { retries: plan } = forwardedBy({ retries: { attempts: 9, backoffMs: 100n } });
    if (plan === undefined) throw new Error("no retries");
    expect([0, 1, 2, 3, 4, 5].map((done) => backoffMs(plan, done, () => 0.999))).toEqual([
      99, 199, 399, 799, 999, 999,
    ]);
    expect(backoffMs({ ...plan, backoffMs: 25 }, 0, () => 0)).toBe(0);
  });

  test("elsewhere, but where a key says where", () => {
    const hashed: PolicyInit = {
      loadBalancer: { consistentHash: { key: { case: "useSourceIp", value: true } } },
    };
    expect(forwardedBy({}).retries?.avoidsPrevious).toBe(true);
    expect(forwardedBy({}, [], hashed).retries?.avoidsPrevious).toBe(false);
    const rule = { attempts: 1, retryIgnorePreviousHosts: false };
    expect(forwardedBy({ retries: rule }).retries?.avoidsPrevious).toBe(false);
  });

  test("with a limit of its own, if that is shorter than the request's", () => {
    const perTry = (timeoutMs: bigint) =>
      forwardedBy({ timeoutMs, retries: { attempts: 1, perTryTimeoutMs: 100n } }).retries?.perTryTimeoutMs;
    expect([perTry(0n), perTry(101n), perTry(100n)]).toEqual([100, 100, 0]);
    expect(retryPlan(undefined, false, 0)?.perTryTimeoutMs).toBe(0);
  });
});

describe("a key of consistent hashing", () => {
  type Key = NonNullable<NonNullable<PolicyInit["loadBalancer"]>["consistentHash"]>["key"];
  const by = (key: NonNullable<Key>, headers: readonly string[] = [], path = "/") =>
    forwardedBy({}, headers, { loadBalancer: { consistentHash: { key } } }, path);
  const cookie = (ttlMs?: bigint): NonNullable<Key> => ({
    case: "httpCookie",
    value: { name: "user", path: "/p", ...(ttlMs !== undefined && { ttlMs }) },
  });

  test("is a header's value, a query parameter's, or the caller's address", () => {
    expect(by({ case: "httpHeaderName", value: "X-User" }, ["x-user", "a"]).hash).toBe(xxhash64("a"));
    expect(by({ case: "httpHeaderName", value: "X-User" }).hash).toBeUndefined();
    expect(by({ case: "httpQueryParameterName", value: "u" }, [], "/?t=b&u=a").hash).toBe(xxhash64("a"));
    expect(by({ case: "useSourceIp", value: true }).hash).toBe(xxhash64("10.0.0.9"));
  });

  test("is a cookie, which is made where there is none and it may last", () => {
    expect(by(cookie(), ["Cookie", 'a=b; user="c"']).hash).toBe(xxhash64("c"));
    expect(by(cookie()).hash).toBeUndefined();
    const made = by(cookie(90_000n));
    const [name, value = ""] = made.answerHeaders([]);
    expect(name).toBe("set-cookie");
    expect(value).toMatch(/^user="[0-9a-f]{16}"; Max-Age=90; Path=\/p; HttpOnly$/);
    const [, text = ""] = /"(.*)"/.exec(value) ?? [];
    expect(made.hash).toBe(xxhash64(text));
    expect(by(cookie(0n)).answerHeaders([])[1]).toMatch(/^user="[0-9a-f]{16}"; Path=\/p; HttpOnly$/);
    expect(by(cookie(0n), ["cookie", "user=c"]).answerHeaders([])).toEqual([]);
  });
});

test("mirrors get the request as it goes out, to a host that says what they are", () => {
  const mirror = (subset: string, percent: number) => ({ destination: { subset }, percent });
  const route = { mirrors: [mirror("v2", 100), mirror("v3", 0), mirror("v4", 0.0001)] };
  const { mirrors } = forwardedBy({ ...route, rewrite: { uri: "/new" }, matches: [] });
  expect(mirrors.map(({ destination }) => destination.endpointSet.split("|")[2])).toEqual(["v2", "v4"]);
  expect(mirrors[0]?.request).toEqual({
    method: "GET",
    path: "/new",
    authority: "reviews-shadow:9080",
    rawHeaders: ["Host", "reviews-shadow:9080"],
  });
});
