import { application, pod, service, serviceEntry, slice, virtualService } from "@keelson/model/testing";
import { Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

const api = "api.example.com";
const http = [{ number: 80, name: "http", protocol: "HTTP" }];

test("a static entry with an address is decided by nodes", () => {
  const endpoints = [{ address: "10.0.0.1", weight: 3 }, { address: "10.0.0.2" }];
  const view = compile(
    serviceEntry({ spec: { resolution: "STATIC", addresses: ["10.9.0.1"], ports: http, endpoints } }),
  );
  expect(view.destinations(api, 80)).toEqual(["100: 10.0.0.1:80 10.0.0.2:80"]);
  expect(view.endpoints(`outbound|80||${api}`).map(({ weight }) => weight)).toEqual([3, 1]);
  expect(view.compiled.explain(api)).not.toHaveProperty("leftAlone");
});

test.each([
  ["DNS", { addresses: ["10.9.0.1"] }, /^it finds its endpoints by DNS/],
  [
    "no resolution",
    { resolution: "NONE", addresses: ["10.9.0.1"] },
    /^it sends connections where the caller dials/,
  ],
  ["DNS without an address", {}, /^it has no address of its own/],
])("an entry with %s is left alone by nodes, and they are not told of it", (_, spec, why) => {
  const rule = virtualService({
    spec: { hosts: [api], http: [{ route: [{ destination: { host: api } }] }] },
  });
  const view = compile(serviceEntry({ spec: { ports: http, ...spec } }), rule);
  expect(view.services()).toEqual([]);
  expect(view.endpointSetNames()).toEqual([]);
  expect(view.compiled.explain(api)?.leftAlone).toMatch(why);
  expect(view.explain(api, 80)).toMatchObject({
    why: expect.stringMatching(/connections are left as they are$/),
    rules: [{ state: "not applied", why: expect.stringMatching(/^is for a service that /) }],
  });
  const warnings = view.explain(api, 80).destinations.flatMap(({ warning }) => warning ?? []);
  expect(warnings).toEqual([]);
  expect(view.problems).toEqual([
    expect.stringMatching(/not applied by kernel nodes: it is for a service that/),
  ]);
});

test("the IR has all services, with their endpoints by name", () => {
  const { ir } = compile(serviceEntry()).compiled;
  expect(ir.services.get(api)).toMatchObject({ meshExternal: true, resolution: Resolution.DNS });
  expect(ir.endpointSets.get(`outbound|443||${api}`)?.endpoints).toMatchObject([
    { hostname: api, port: 443, address: { length: 0 } },
  ]);
});

test("a share that leads to names is refused by nodes", () => {
  const rule = virtualService({ spec: { http: [{ route: [{ destination: { host: api } }] }] } });
  const view = compile(...application("reviews"), serviceEntry(), rule);
  expect(view.destinations("reviews", 9080)).toEqual(["100:"]);
  const [{ endpoints, warning } = {}] = view.explain("reviews").destinations;
  expect(endpoints).toEqual([{ address: `${api}:443`, workload: "" }]);
  expect(warning).toMatch(/are found by DNS, which nodes do not ask yet: this share is refused/);
  expect(view.problems).toEqual([expect.stringMatching(/spec\.http\[0\]\.route\[0\]: .* found by DNS/)]);
});

test("identities are those of annotations and of the accounts of the endpoints", () => {
  const view = compile(service(), slice(), pod({ spec: { serviceAccountName: "bookinfo-reviews" } }));
  expect(view.service("reviews").identities).toEqual([
    "spiffe://cluster.local/ns/default/sa/bookinfo-reviews",
  ]);
});

test("a destination may be an alias", () => {
  const alias = service({
    name: "old",
    ips: [],
    ports: [],
    spec: { type: "ExternalName", externalName: "ratings.default.svc.cluster.local" },
  });
  const rule = virtualService({ spec: { http: [{ route: [{ destination: { host: "old" } }] }] } });
  const view = compile(
    ...application("reviews"),
    ...application("ratings", ["v1"], { network: 2 }),
    alias,
    rule,
  );
  expect(view.destinations("reviews", 9080)).toEqual(["100: 10.1.2.1:9080"]);
  expect(view.problems).toEqual([]);
});
