import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Model } from "./model.ts";
import { ModelBuilder } from "./model-builder.ts";
import {
  application,
  type Manifest,
  pod,
  read,
  routeRule,
  service,
  slice,
  toVersion,
  UnchangedStaysTheSame,
} from "./testing/manifests.ts";
import { smallEdits } from "./testing/random-edits.ts";
import { manifests } from "./testing/random-manifests.ts";

const reviews = "reviews.default.svc.cluster.local";
const build = (...all: Manifest[]) => new ModelBuilder().build(read(...all));

/** As plain values, in the order of the model but for endpoints. */
const dump = ({ endpoints, ...model }: Model) => ({
  services: [...model.services],
  externalNames: [...model.externalNames],
  workloads: [...model.workloads],
  routes: [...model.routes],
  policies: [...model.policies],
  gateways: [...model.gateways],
  sidecarScopes: [...model.sidecarScopes],
  peerAuthentications: [...model.peerAuthentications],
  extensions: [...model.extensions],
  endpoints: Object.fromEntries(endpoints),
});

const table = (model: Model) => model.routes.get(`RouteRule/${reviews}`);

/** Names of the rules for reviews, in the order in which they are asked. */
const rulesOf = (model: Model) =>
  table(model)?.http.map(({ object: { metadata } }) => `${metadata.namespace}/${metadata.name}`);

test("an application: its service, endpoints, routes and workloads", () => {
  const { model, problems } = build(...application("reviews", ["v1", "v2"]), routeRule());
  expect(problems).toEqual([]);
  expect([...model.services.keys()]).toEqual([reviews]);
  expect(model.endpoints.get(reviews)?.map(({ workload }) => workload)).toEqual([
    "default/reviews-v1",
    "default/reviews-v2",
  ]);
  expect([...model.workloads.keys()]).toEqual(["default/reviews-v1", "default/reviews-v2"]);
  expect(rulesOf(model)).toHaveLength(1);
});

test("a namespace that opted out takes its pods along, but for those that say otherwise", () => {
  const mode = (value: string) => ({ "istio.io/dataplane-mode": value });
  const apart = (name: string, labels = {}) => pod({ name, namespace: "apart", labels });
  const pods = [apart("silent"), apart("in", mode("ambient")), apart("out", mode("none")), pod()];
  const namespaceOf = (labels: Record<string, string>) =>
    ({ apiVersion: "v1", kind: "Namespace", metadata: { name: "apart", labels } }) satisfies Manifest;
  const builder = new ModelBuilder();
  const leftAlone = (...all: Manifest[]) =>
    [...builder.build(read(...all)).model.workloads.values()].map((workload) => workload.leftAlone);
  expect(leftAlone(...pods, namespaceOf(mode("none")))).toEqual([
    undefined,
    "opted out",
    "namespace opted out",
    undefined,
  ]);
  expect(leftAlone(...pods, namespaceOf({}))).toEqual([undefined, "opted out", undefined, undefined]);
});

test("the suffix of hostnames can be set", () => {
  const { model } = new ModelBuilder("example.org").build(read(service(), routeRule()));
  const hostname = "reviews.default.svc.example.org";
  expect([...model.services.keys(), ...model.routes.keys()]).toEqual([hostname, `RouteRule/${hostname}`]);
});

test("routes are asked by precedence, then by name", () => {
  const rules = { c: 1, a: 0, d: 2, b: 1 };
  const { model } = build(
    ...Object.entries(rules).map(([name, precedence]) => routeRule({ name, precedence })),
  );
  expect(rulesOf(model)).toEqual(["default/d", "default/b", "default/c", "default/a"]);
});

test("rules of other namespaces may be for the same service", () => {
  const far = routeRule({ namespace: "ops", destination: { name: "reviews", namespace: "default" } });
  expect(rulesOf(build(routeRule(), far).model)).toEqual(["default/reviews-rule", "ops/reviews-rule"]);
});

test("of doubles the one counts that stands first, and each other one is told", () => {
  const objects = read(
    routeRule({ route: [toVersion("v1")] }),
    routeRule({ route: [toVersion("v2")] }),
    routeRule({ route: [toVersion("v3")] }),
  );
  for (const order of [objects, objects.toReversed()]) {
    const { model, problems } = new ModelBuilder().build(order);
    expect(table(model)?.table.http).toMatchObject([{ destinations: [{ labels: { version: "v1" } }] }]);
    expect(problems).toHaveLength(2);
    for (const { message, field } of problems) {
      expect(field).toBe("metadata.name");
      expect(message).toBe("RouteRule default/reviews-rule stands at test.yaml:1:1, too; that one counts");
    }
  }
});

test("what did not change is the same object again, and only that", () => {
  const builder = new ModelBuilder();
  const ratings = read(
    ...application("ratings", ["v1"], { network: 2 }),
    routeRule({ destination: "ratings" }),
  );
  const others = read(slice(), pod(), pod({ name: "x", ip: "10.1.9.9" }));
  const [before, after] = [9080, 80].map((port) => {
    const changed = read(service({ ports: [{ name: "http", port }] }));
    return builder.build(
      port === 80 ? [...changed, ...others, ...ratings] : [...ratings, ...others, ...changed],
    );
  });
  const hostname = "ratings.default.svc.cluster.local";
  const parts = [
    ["services", hostname],
    ["endpoints", hostname],
    ["routes", `RouteRule/${hostname}`],
    ["workloads", "default/ratings-v1"],
  ] as const;
  for (const [part, name] of parts) {
    const kept = after?.model[part].get(name);
    expect(kept).toBeDefined();
    expect(kept).toBe(before?.model[part].get(name));
  }
  expect(after?.model.services.get(reviews)).not.toBe(before?.model.services.get(reviews));
});

test("a pod that comes, changes or goes changes the endpoints that it stands behind", () => {
  const builder = new ModelBuilder();
  const base = read(service(), slice());
  const labels = (...pods: Manifest[]) => {
    const { model } = builder.build([...base, ...read(...pods)]);
    return model.endpoints.get(reviews)?.map((endpoint) => endpoint.labels["version"]);
  };
  expect(labels()).toEqual([undefined]);
  expect(labels(pod())).toEqual(["v1"]);
  expect(labels(pod({ labels: { version: "v2" } }))).toEqual(["v2"]);
  expect(labels()).toEqual([undefined]);
});

test("the order of the objects does not matter", () => {
  fc.assert(
    fc.property(
      manifests.chain((all) => {
        const objects = read(...all);
        return fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length }));
      }),
      ([objects, shuffled]) => {
        const [a, b] = [objects, shuffled].map((order) => new ModelBuilder().build(order));
        expect(dump(b!.model)).toEqual(dump(a!.model));
        const texts = (built: typeof a) => built!.problems.map((problem) => JSON.stringify(problem)).sort();
        expect(texts(b)).toEqual(texts(a));
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ["other objects", fc.array(manifests, { minLength: 2, maxLength: 4 })],
  ["some other objects", smallEdits],
] as const)("a builder that saw %s before makes the same model, and tells the same", (_, states) => {
  fc.assert(
    fc.property(states, (rounds) => {
      const source = new UnchangedStaysTheSame();
      const builder = new ModelBuilder();
      for (const round of rounds) {
        const now = source.read(round);
        const [incremental, fresh] = [builder.build(now), new ModelBuilder().build(now)];
        expect(dump(incremental.model)).toEqual(dump(fresh.model));
        expect(incremental.problems).toEqual(fresh.problems);
        expect(incremental.credentials).toEqual(fresh.credentials);
      }
    }),
    { numRuns: 80 },
  );
});
