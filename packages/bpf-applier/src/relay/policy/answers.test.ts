import { describe, expect, test } from "vitest";
import {
  ask,
  forwarded,
  portRoute,
  prefix,
  type Question,
  type RouteInit,
  routerOf,
  to,
} from "./testing/builders.ts";

const never = (): number => 0.999999;
const always = (): number => 0;
const grpc = ["Content-Type", "application/grpc"];

function answer(route: RouteInit, question: Question = {}) {
  const decision = ask(routerOf(portRoute({ name: "r", ...route })), question);
  if (decision.kind === "forward") throw new Error(`went to ${decision.destination.endpointSet}`);
  const { status, rawHeaders, body, delayMs, route: name } = decision;
  expect(name).toBe("r");
  return { status, rawHeaders, body: Buffer.from(body).toString(), delayMs };
}

describe("a redirect", () => {
  const location = (redirect: RouteInit["redirect"], question: Question = {}): string =>
    answer({ matches: [{ uri: prefix("/a") }], redirect: redirect ?? {} }, { path: "/a/b?c", ...question })
      .rawHeaders[1] ?? "";

  test.each([
    ["nothing", {}, "http://reviews:9080/a/b?c"],
    ["a path", { uri: "/x" }, "http://reviews:9080/x?c"],
    ["a path with a query", { uri: "/x?y" }, "http://reviews:9080/x?y"],
    ["the prefix", { prefixRewrite: "/x" }, "http://reviews:9080/x/b?c"],
    ["the authority", { authority: "other" }, "http://other/a/b?c"],
    ["the scheme", { scheme: "https" }, "https://reviews:9080/a/b?c"],
    ["the port", { port: 8443, scheme: "https" }, "https://reviews:8443/a/b?c"],
    ["the scheme and its usual port", { port: 443, scheme: "https" }, "https://reviews:9080/a/b?c"],
    ["the port of the request", { portFromRequest: true, authority: "other" }, "http://other:9080/a/b?c"],
  ])("says %s anew", (_, redirect, wanted) => {
    expect(location(redirect)).toBe(wanted);
  });

  test("leaves the usual port of the scheme before out, and brackets of IPv6 alone", () => {
    expect(location({ scheme: "https" }, { authority: "reviews:80" })).toBe("https://reviews/a/b?c");
    expect(location({ port: 1 }, { authority: "[fd00::1]" })).toBe("http://[fd00::1]:1/a/b?c");
    expect(location({ port: 1 }, { authority: "[fd00::1]:80" })).toBe("http://[fd00::1]:1/a/b?c");
  });

  test("has the rule's status, or 301", () => {
    expect(answer({ redirect: {} }).status).toBe(301);
    expect(answer({ redirect: { code: 308 } }).status).toBe(308);
  });
});

describe("a direct response", () => {
  const directResponse = { status: 418, body: Buffer.from("short") };

  test("has the rule's body and header operations", () => {
    expect(answer({ directResponse, responseHeaders: { set: { x: "1" } } })).toEqual({
      status: 418,
      rawHeaders: ["x", "1", "content-type", "text/plain"],
      body: "short",
      delayMs: 0,
    });
    const typed = answer({ directResponse, responseHeaders: { set: { "Content-Type": "text/html" } } });
    expect(typed.rawHeaders).toEqual(["Content-Type", "text/html"]);
  });

  test("is a status of gRPC for who speaks it", () => {
    expect(
      answer({ directResponse: { status: 404, body: Buffer.from("50 % é") } }, { headers: grpc }),
    ).toEqual({
      status: 200,
      rawHeaders: ["content-type", "application/grpc", "grpc-status", "12", "grpc-message", "50 %25 %C3%A9"],
      body: "",
      delayMs: 0,
    });
  });
});

describe("a fault", () => {
  const fault = { delayPercent: 50, delayMs: 300n, abortPercent: 50, httpStatus: 503 };

  test("delays and aborts the share of requests that it says, each drawn by itself", () => {
    const route = { fault, destinations: to("v1") };
    expect(answer(route, { random: always })).toEqual({
      status: 503,
      rawHeaders: ["content-type", "text/plain"],
      body: "fault filter abort",
      delayMs: 300,
    });
    expect(forwarded(routerOf(portRoute(route)), { random: never }).delayMs).toBe(0);
    const draws = [0.499, 0.5];
    expect(forwarded(routerOf(portRoute(route)), { random: () => draws.shift() ?? 0 }).delayMs).toBe(300);
  });

  test("of 0 % never happens, of 100 % always", () => {
    const all = { ...fault, delayPercent: 0, abortPercent: 100 };
    expect(answer({ fault: all, destinations: to("v1") }, { random: never })).toMatchObject({
      status: 503,
      delayMs: 0,
    });
    const none = { ...fault, abortPercent: 0 };
    expect(ask(routerOf(portRoute({ fault: none, destinations: to("v1") })), { random: always }).kind).toBe(
      "forward",
    );
  });

  test("may be a status of gRPC; others get its text alone", () => {
    const unavailable = { abortPercent: 100, grpcStatus: "UNAVAILABLE" };
    const route = { fault: unavailable, destinations: to("v1") };
    expect(answer(route)).toMatchObject({ status: 200, body: "fault filter abort" });
    expect(answer(route, { headers: grpc }).rawHeaders).toContain("14");
  });
});

describe("CORS", () => {
  const cors = {
    allowOrigins: [{ how: { case: "prefix" as const, value: "https://a" } }],
    allowMethods: ["GET", "PUT"],
    allowHeaders: ["x", "y"],
    exposeHeaders: ["z"],
    maxAgeMs: 60_000n,
    allowCredentials: true,
  };
  const route = {
    cors,
    destinations: to("v1"),
    responseHeaders: { set: { "access-control-allow-origin": "*" } },
  };
  const preflight = (origin: string): Question => ({
    method: "OPTIONS",
    headers: ["Origin", origin, "Access-Control-Request-Method", "PUT"],
  });

  test("answers a preflight of an origin that may", () => {
    expect(answer(route, preflight("https://a.example"))).toEqual({
      status: 200,
      rawHeaders: [
        "access-control-allow-credentials",
        "true",
        "access-control-allow-methods",
        "GET,PUT",
        "access-control-allow-headers",
        "x,y",
        "access-control-max-age",
        "60",
        "access-control-allow-origin",
        "https://a.example",
        "access-control-expose-headers",
        "z",
      ],
      body: "",
      delayMs: 0,
    });
  });

  test("leaves one of another origin to the server, or answers it without allowing anything, as the rule says", () => {
    expect(ask(routerOf(portRoute(route)), preflight("https://b")).kind).toBe("forward");
    const strict = { ...route, cors: { ...cors, forwardUnmatchedPreflights: false } };
    const { status, rawHeaders } = answer(strict, preflight("https://b"));
    expect(status).toBe(200);
    expect(rawHeaders).not.toContain("access-control-allow-origin");
  });

  test("says of other answers who may read them, after all other changes", () => {
    const router = routerOf(portRoute(route));
    const allowed = forwarded(router, { headers: ["origin", "https://a"] });
    const said = [
      "access-control-allow-origin",
      "https://a",
      "access-control-allow-credentials",
      "true",
      "access-control-expose-headers",
      "z",
    ];
    expect(allowed.answerHeaders(["x", "1"])).toEqual(["x", "1", ...said]);
    expect(allowed.ownAnswerHeaders([])).toEqual(said);
    const other = forwarded(router, { headers: ["origin", "https://b"] });
    expect(other.answerHeaders([])).toEqual(["access-control-allow-origin", "*"]);
  });

  test("takes any origin where a rule takes all", () => {
    const all = { ...cors, allowOrigins: [{ how: { case: "exact" as const, value: "*" } }] };
    expect(answer({ ...route, cors: all }, preflight("null")).rawHeaders).toContain("null");
  });
});
