import { application, destinationRule, toSubset, virtualService } from "@keelson/model/testing";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

const reviews = application("reviews");
const toV2 = virtualService({ spec: { http: [{ route: [toSubset("v2")] }] } });
const host = "reviews.default.svc.cluster.local";
const v2 = ["100: 10.1.1.2:9080"];

test("the rule of the service's namespace counts", () => {
  const other = destinationRule({
    namespace: "other",
    spec: { host, subsets: [{ name: "v2", labels: { version: "v3" } }] },
  });
  const view = compile(...reviews, toV2, destinationRule(), other);
  expect(view.destinations("reviews", 9080)).toEqual(v2);
  expect(view.explain("reviews").policies).toMatchObject([
    { rule: "DestinationRule default/reviews", state: "applies" },
    {
      rule: "DestinationRule other/reviews",
      state: "not applied",
      why: expect.stringMatching(/^stands in namespace other, .* for callers of other only/),
    },
  ]);
});

test("else that of the root namespace", () => {
  const root = destinationRule({ namespace: "istio-system", spec: { host } });
  expect(compile(...reviews, toV2, root).destinations("reviews", 9080)).toEqual(v2);
});

test("a rule with a wildcard is for every host that it fits, unless one names the host", () => {
  const wide = destinationRule({ name: "wide", spec: { host: "*.default.svc.cluster.local" } });
  expect(compile(...reviews, toV2, wide).destinations("reviews", 9080)).toEqual(v2);
  const named = destinationRule({ spec: { subsets: [] } });
  expect(compile(...reviews, toV2, wide, named).destinations("reviews", 9080)).toEqual(["100:"]);
});

test("a rule for some workloads is not applied, as nodes decide for all callers alike", () => {
  const some = destinationRule({ name: "some", spec: { workloadSelector: { matchLabels: { app: "a" } } } });
  const view = compile(...reviews, toV2, some);
  expect(view.destinations("reviews", 9080)).toEqual(["100:"]);
  expect(view.explain("reviews").policies).toMatchObject([
    { state: "not applied", why: expect.stringContaining("for some callers only") },
  ]);
});

test.each([
  ["TLS", { tls: { mode: "SIMPLE" } }, "relay", /TLS towards the host/],
  ["no TLS", { tls: { mode: "DISABLE" } }, "connect", /^$/],
  ["limits", { connectionPool: { tcp: { maxConnections: 1 } } }, "connect", /connection pool limits/],
  ["outlier detection", { outlierDetection: {} }, "connect", /outlier detection/],
  ["round robin", { loadBalancer: { simple: "ROUND_ROBIN" } }, "connect", /drawn at random/],
  ["random", { loadBalancer: { simple: "RANDOM" } }, "connect", /^$/],
  ["a hash", { loadBalancer: { consistentHash: { useSourceIp: true } } }, "connect", /consistent hashing/],
])("%s: explained for what it is on a kernel node", (_, trafficPolicy, wantedTier, why) => {
  const view = compile(...reviews, destinationRule({ spec: { trafficPolicy } }));
  expect(view.explain("reviews").wantedTier).toBe(wantedTier);
  expect(view.explain("reviews").policies?.[0]?.why).toMatch(why);
});

test("settings of a port replace those of the host, and a subset's add to them", () => {
  const subsets = [{ name: "v2", labels: { version: "v2" }, trafficPolicy: { outlierDetection: {} } }];
  const trafficPolicy = {
    tls: { mode: "SIMPLE" },
    portLevelSettings: [{ port: { number: 9080 }, connectionPool: { tcp: { maxConnections: 1 } } }],
  };
  const view = compile(...reviews, toV2, destinationRule({ spec: { subsets, trafficPolicy } }));
  expect(view.explain("reviews").policies?.[0]?.why).toBe(
    "not done by nodes yet: connection pool limits; outlier detection",
  );
});
