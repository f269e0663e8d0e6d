import { create } from "@bufbuild/protobuf";
import { WorkloadSchema } from "@keelson/protos/policy";
import { describe, expect, test } from "vitest";
import {
  ask,
  exact,
  forwarded,
  type MatchInit,
  placeOf,
  portRoute,
  prefix,
  type Question,
  regex,
  routerOf,
  to,
} from "./testing/builders.ts";

const ruled = (match: MatchInit) =>
  routerOf(
    portRoute({ name: "ruled", matches: [match], destinations: to("v2") }),
    portRoute({ name: "rest", destinations: to("v1") }),
  );

test("the first route that matches counts; where none does, the answer is 404", () => {
  const router = routerOf(
    portRoute({ name: "a", matches: [{ uri: prefix("/a") }], destinations: to("v1") }),
    portRoute({
      name: "ab",
      matches: [{ uri: exact("/ab") }, { uri: regex("/c+") }],
      destinations: to("v2"),
    }),
  );
  expect(placeOf(router, { path: "/ab?x" })).toBe("v1");
  expect(placeOf(router, { path: "/ccc" })).toBe("v2");
  expect(ask(router, { path: "/d" })).toEqual({
    kind: "answer",
    route: "",
    status: 404,
    rawHeaders: [],
    body: Buffer.alloc(0),
    delayMs: 0,
  });
});

describe("a match", () => {
  test.each<[string, MatchInit, Question, Question]>([
    ["exact path", { uri: exact("/a") }, { path: "/a?b" }, { path: "/a/" }],
    ["path without case", { uri: prefix("/A"), ignoreUriCase: true }, { path: "/ab" }, { path: "/b" }],
    ["whole segments", { uri: prefix("/a"), wholeSegments: true }, { path: "/a/b" }, { path: "/ab" }],
    ["whole expression", { uri: regex("/a.") }, { path: "/ab" }, { path: "/abc" }],
    ["method", { method: exact("POST") }, { method: "POST" }, {}],
    ["authority", { authority: prefix("r") }, {}, { authority: "other" }],
    ["scheme", { scheme: exact("http") }, {}, { scheme: "https" }],
    [
      "header",
      { headers: [{ name: "x", value: exact("1") }] },
      { headers: ["X", "1"] },
      { headers: ["X", "2"] },
    ],
    [
      "one header of two",
      { headers: [{ name: "x", value: exact("2") }] },
      { headers: ["X", "1", "x", "2"] },
      { headers: ["X", "1,2"] },
    ],
    [
      "no header of two",
      { headers: [{ name: "x", value: exact("2"), invert: true }] },
      { headers: ["X", "1", "x", "3"] },
      { headers: ["X", "1", "x", "2"] },
    ],
    [
      "header beyond ASCII",
      { headers: [{ name: "x", value: exact("é") }] },
      { headers: ["x", "\xc3\xa9"] },
      { headers: ["x", "\xe9"] },
    ],
    [
      "expression beyond ASCII",
      { headers: [{ name: "x", value: regex("[é]") }] },
      { headers: ["x", "\xc3\xa9"] },
      { headers: ["x", "\xe9"] },
    ],
    ["header there", { headers: [{ name: "x" }] }, { headers: ["x", ""] }, {}],
    ["header not there", { headers: [{ name: "x", invert: true }] }, {}, { headers: ["x", ""] }],
    [
      "header of another value, or none",
      { headers: [{ name: "x", value: exact("1"), invert: true }] },
      {},
      { headers: ["x", "1"] },
    ],
    [
      "query",
      { queryParameters: [{ name: "q", value: exact("1") }] },
      { path: "/?p&q=1" },
      { path: "/?q=2&q=1" },
    ],
    ["dot segments", { uri: exact("/a/b") }, { path: "/x/../a/./%62" }, { path: "/a//b" }],
    ["absolute form", { authority: exact("else:1") }, { path: "http://else:1/" }, {}],
  ])("by %s takes what it says", (_, match, takes, leaves) => {
    expect(placeOf(ruled(match), takes)).toBe("v2");
    expect(placeOf(ruled(match), leaves)).toBe("v1");
  });

  test("by caller needs a caller that is known", () => {
    const workload = create(WorkloadSchema, { namespace: "default", labels: [{ key: "app", value: "a" }] });
    const router = ruled({ source: { namespace: "default", labels: { app: "a" } } });
    expect(placeOf(router, { caller: { workload } })).toBe("v2");
    expect(placeOf(router, { caller: { workload: { ...workload, namespace: "other" } } })).toBe("v1");
    expect(placeOf(router)).toBe("v1");
  });
});

test("a target that is no path, or has no normal form, is refused before rules are asked", () => {
  const router = routerOf(portRoute({ destinations: to("v1") }));
  expect(placeOf(router, { method: "OPTIONS", path: "*" })).toBe(404);
  for (const path of ["/a#b", "/%00", "/\x7f"]) expect(placeOf(router, { path })).toBe(400);
});

test("weights share requests; what weighs nothing gets none", () => {
  const destinations = [
    { subset: "v1", weight: 80 },
    { subset: "v2", weight: 20 },
    { subset: "v3", weight: 0 },
  ];
  const router = routerOf(portRoute({ destinations }));
  const at = (share: number) => placeOf(router, { random: () => share });
  expect([0, 0.799, 0.8, 0.999].map(at)).toEqual(["v1", "v1", "v2", "v2"]);
  const equal = routerOf(portRoute({ destinations: destinations.map((one) => ({ ...one, weight: 0 })) }));
  expect([0, 0.34, 0.67].map((share) => placeOf(equal, { random: () => share }))).toEqual(["v1", "v2", "v3"]);
});

test("paths and authorities are rewritten, and the query stays", () => {
  const rewritten = (rewrite: object, match: MatchInit, path: string) => {
    const { request } = forwarded(
      routerOf(portRoute({ rewrite, matches: [match], destinations: to("v1") })),
      { path },
    );
    return [request.path, request.authority, request.rawHeaders[1]];
  };
  const same = ["reviews:9080", "reviews:9080"];
  expect(rewritten({ uri: "/new" }, { uri: prefix("/old") }, "/old/b?c")).toEqual(["/new/b?c", ...same]);
  expect(rewritten({ uri: "/new" }, { uri: exact("/old") }, "/old?c")).toEqual(["/new?c", ...same]);
  expect(rewritten({ uri: "/x" }, {}, "/b")).toEqual(["/xb", ...same]);
  expect(rewritten({ uri: "/" }, { uri: prefix("/a"), wholeSegments: true }, "/a/b")).toEqual([
    "/b",
    ...same,
  ]);
  expect(rewritten({ uri: "/" }, { uri: prefix("/a"), wholeSegments: true }, "/a")).toEqual(["/", ...same]);
  const byExpression = { regex: "^/users/(\\d+)", substitution: "/u/\\1" };
  expect(rewritten(byExpression, {}, "/users/12/a?/users/1")).toEqual(["/u/12/a?/users/1", ...same]);
  expect(rewritten({ authority: "other" }, {}, "/")).toEqual(["/", "other", "other"]);
});

test("headers are removed, set and added, of requests and of answers; case and order stay", () => {
  const operations = { set: { "x-set": "new" }, add: { "X-Added": "two" }, remove: ["X-Removed"] };
  const decision = forwarded(
    routerOf(portRoute({ requestHeaders: operations, responseHeaders: operations, destinations: to("v1") })),
    { headers: ["X-Set", "old", "Other", "1", "x-added", "one", "x-removed", "gone"] },
  );
  const changed = ["X-Set", "new", "Other", "1", "x-added", "one", "X-Added", "two"];
  expect(decision.request.rawHeaders).toEqual(["Host", "reviews:9080", ...changed]);
  expect(decision.answerHeaders(["X-Set", "a", "Other", "1", "x-removed", "b", "x-added", "one"])).toEqual(
    changed,
  );
});

test("headers of one destination of several change before those of the route", () => {
  const route = portRoute({
    requestHeaders: { set: { x: "route" } },
    destinations: [
      { subset: "v1", weight: 1, requestHeaders: { set: { x: "destination", y: "1", host: "v1.example" } } },
      { subset: "v2", weight: 0 },
    ],
  });
  const { request } = forwarded(routerOf(route));
  expect(request.rawHeaders).toEqual(["Host", "v1.example", "x", "route", "y", "1"]);
});
