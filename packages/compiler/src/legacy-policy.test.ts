import {
  application,
  destinationPolicy,
  destinationRule,
  routeRule,
  toSubset,
  toVersion,
  virtualService,
} from "@keelson/model/testing";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

const reviews = application("reviews");
const random = { loadBalancing: { name: "RANDOM" } };

test.each([
  ["without labels, for all endpoints", {}, [], "applies"],
  ["without labels, for a version", {}, [routeRule({ route: [toVersion("v1")] })], "not applied"],
  [
    "for a version, with it",
    { labels: { version: "v1" } },
    [routeRule({ route: [toVersion("v1")] })],
    "applies",
  ],
  ["for a version, without it", { labels: { version: "v1" } }, [], "not applied"],
])("a DestinationPolicy %s", (_, labels, rules, state) => {
  const spec = { destination: { name: "reviews", ...labels }, ...random };
  const view = compile(...reviews, ...rules, destinationPolicy({ spec }));
  expect(view.explain("reviews").policies).toMatchObject([{ rule: "DestinationPolicy default/rule", state }]);
});

test("what nodes do not do is said", () => {
  const view = compile(
    ...reviews,
    destinationPolicy({ spec: { circuitBreaker: { simpleCb: { maxConnections: 1 } } } }),
  );
  expect(view.explain("reviews").policies?.[0]).toMatchObject({
    state: "partly applies",
    why: "not done by nodes yet: connection pool limits; outlier detection",
  });
});

test("its labels are no subsets of a DestinationRule's", () => {
  const spec = { destination: { name: "reviews", labels: { version: "v1" } }, ...random };
  const rule = virtualService({ spec: { http: [{ route: [toSubset("v2")] }] } });
  const view = compile(...reviews, rule, destinationPolicy({ spec }), destinationRule());
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.1.2:9080"]);
  expect([...view.compiled.ir.endpointSets.keys()]).toContain(
    "outbound|9080|version=v1|reviews.default.svc.cluster.local",
  );
});
