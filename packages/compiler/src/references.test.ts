import {
  application,
  destinationRule,
  gateway,
  ingress,
  toSubset,
  virtualService,
} from "@keelson/model/testing";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

const reviews = application("reviews");
const to = (host: string) => ({ route: [{ destination: { host } }] });
const edge = (spec: object) =>
  virtualService({ name: "edge", spec: { hosts: ["a.com"], gateways: ["gw"], ...spec } });

test("a gateway that is not there is told", () => {
  expect(compile(...reviews, edge({ http: [to("reviews")] })).problems).toEqual([
    "default/edge: spec.gateways: there is no Gateway default/gw",
  ]);
  expect(compile(...reviews, gateway(), edge({ http: [to("reviews")] })).problems).toEqual([]);
});

test("a service that is not there is told, also at gateways and behind conditions", () => {
  const match = [{ headers: { a: { exact: "b" } } }];
  const view = compile(gateway(), edge({ http: [{ match, ...to("nowhere") }], tcp: [to("elsewhere")] }));
  expect(view.problems).toEqual([
    "default/edge: spec.http[0].route[0]: there is no service nowhere.default.svc.cluster.local",
    "default/edge: spec.tcp[0].route[0]: there is no service elsewhere.default.svc.cluster.local",
  ]);
});

test("an Ingress to a service that is not there is told at its backend", () => {
  const backend = { serviceName: "nowhere", servicePort: 80 };
  const rules = [{ http: { paths: [{ path: "/a", backend }] } }];
  expect(compile(ingress({ spec: { rules, backend } })).problems).toEqual([
    "default/front: spec.rules[0].http.paths[0].backend: there is no service nowhere.default.svc.cluster.local",
    "default/front: spec.backend: there is no service nowhere.default.svc.cluster.local",
  ]);
});

test.each([
  [
    "without a DestinationRule",
    [],
    'subset "v9" does not exist, since there is no DestinationRule for reviews.default.svc.cluster.local',
  ],
  [
    "that its DestinationRule does not have",
    [destinationRule()],
    'no DestinationRule for reviews.default.svc.cluster.local has a subset "v9"',
  ],
])("a subset %s is told", (_, rules, text) => {
  const route = { route: [toSubset("v9")] };
  expect(compile(...reviews, gateway(), ...rules, edge({ http: [route] })).problems).toEqual([
    `default/edge: spec.http[0].route[0]: ${text}`,
  ]);
});

test("what is said of a destination is said once", () => {
  const view = compile(
    ...reviews,
    destinationRule(),
    virtualService({ spec: { http: [{ route: [toSubset("v9")] }] } }),
  );
  expect(view.problems).toEqual([expect.stringMatching(/calls to this destination are refused$/)]);
});
