import type { PolicyIr } from "@keelson/protos";
import { type EndpointSet, ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { EnvoyGenerator } from "./generator.ts";
import type { ProxyView } from "./proxy-view.ts";
import { bookinfo, ratings, reviews } from "./testing/bookinfo.ts";
import {
  aHostPolicy,
  anEndpointSet,
  anIr,
  aRouteTable,
  aService,
  aSidecarScope,
} from "./testing/builders.ts";
import { aProxy } from "./testing/proxies.ts";
import { envoyTypeUrls } from "./type-urls.ts";

const client = (n: number, namespace = "default") =>
  aProxy({ id: `sidecar~10.244.9.${n}~client-${n}.${namespace}~${namespace}.svc.cluster.local` });

/** The next snapshot as the compiler makes it: new maps, old messages but for what changed. */
function next(
  ir: PolicyIr,
  changes: Omit<Partial<PolicyIr>, "endpointSets">,
  sets: readonly EndpointSet[] = [],
): PolicyIr {
  const { mesh, ...maps } = ir;
  const copies = Object.fromEntries(
    Object.entries(maps).map(([part, map]) => [part, new Map<string, unknown>(map)]),
  );
  const endpointSets = new Map(ir.endpointSets);
  for (const set of sets) endpointSets.set(set.name, set);
  return { mesh, ...(copies as unknown as typeof maps), ...changes, endpointSets };
}

const types = ["cluster", "listener", "route", "endpoint", "nameTable"] as const;
const lists = (view: ProxyView) =>
  Object.fromEntries(types.map((type) => [type, view.resources(envoyTypeUrls[type])]));
const grown = anEndpointSet(`outbound|9080||${ratings}`, [
  { address: "10.244.1.9", port: 9080 },
  { address: "10.244.1.10", port: 9080 },
]);

test("a snapshot that changes nothing gives the very same view", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const proxy = client(1);
  const view = generator.view(ir, proxy);
  lists(view);
  expect(generator.view(next(ir, {}), proxy)).toBe(view);
});

test("an endpoint that comes changes its load assignments and nothing else", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const proxy = client(1);
  const before = lists(generator.view(ir, proxy));
  const after = lists(generator.view(next(ir, {}, [grown]), proxy));
  for (const type of ["cluster", "listener", "route", "nameTable"] as const)
    expect(after[type]).toBe(before[type]);
  const changed = [...(after["endpoint"] ?? [])].filter(
    ([name, resource]) => before["endpoint"]?.get(name) !== resource,
  );
  expect(changed.map(([name]) => name)).toEqual([`outbound|9080||${ratings}`]);
});

test("proxies that do not see a service notice nothing of its endpoints", () => {
  const generator = new EnvoyGenerator();
  const scope = aSidecarScope("shop/s", { egress: [{ hosts: [`*/${reviews}`] }] });
  const ir = anIr({ ...bookinfo, sidecarScopes: [scope] });
  const [seeing, blind] = [client(1), client(2, "shop")];
  const before = [generator.view(ir, seeing), generator.view(ir, blind)];
  for (const view of before) lists(view);
  const changed = next(ir, {}, [grown]);
  expect(generator.view(changed, seeing)).not.toBe(before[0]);
  expect(generator.view(changed, blind)).toBe(before[1]);
});

test("proxies that are alike share their lists, whatever their addresses", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  expect(generator.view(ir, client(1))).toBe(generator.view(ir, client(2)));
});

test("proxies with ports of their own share what is for calling others", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const server = aProxy({ id: "sidecar~10.244.1.1~reviews-v1.default~default.svc.cluster.local" });
  const [first, second] = [generator.view(ir, client(1)), generator.view(ir, server)];
  const name = `outbound|9080||${reviews}`;
  const cluster = (view: ProxyView) => view.resources(envoyTypeUrls.cluster).get(name);
  expect(cluster(second)).toBe(cluster(first));
  expect(second.resources(envoyTypeUrls.endpoint)).toBe(first.resources(envoyTypeUrls.endpoint));
  expect(second.resources(envoyTypeUrls.cluster).has("inbound|9080||")).toBe(true);
});

test("proxies of different scopes share the resources of the services that both see", () => {
  const generator = new EnvoyGenerator();
  const scope = aSidecarScope("shop/s", { egress: [{ hosts: [`*/${reviews}`] }] });
  const ir = anIr({ ...bookinfo, sidecarScopes: [scope] });
  const [wide, narrow] = [generator.view(ir, client(1)), generator.view(ir, client(2, "shop"))];
  for (const type of ["cluster", "endpoint"] as const) {
    const name = `outbound|9080||${reviews}`;
    expect(narrow.resources(envoyTypeUrls[type]).get(name)).toBe(
      wide.resources(envoyTypeUrls[type]).get(name),
    );
  }
});

test("a rule for one service leaves the resources of others as they are", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const proxy = client(1);
  const before = lists(generator.view(ir, proxy));
  const policy = aHostPolicy("DestinationRule/default/r", {
    hostname: reviews,
    policy: { connectionPool: { maxConnections: 1 } },
  });
  const after = lists(generator.view(next(ir, { hostPolicies: new Map([[policy.name, policy]]) }), proxy));
  const ofRatings = `outbound|9080||${ratings}`;
  expect(after["cluster"]?.get(ofRatings)).toBe(before["cluster"]?.get(ofRatings));
  expect(after["cluster"]?.get(`outbound|9080||${reviews}`)).not.toBe(
    before["cluster"]?.get(`outbound|9080||${reviews}`),
  );
  for (const type of ["listener", "endpoint", "route"] as const) expect(after[type]).toBe(before[type]);
});

test("a rule that a proxy cannot see changes nothing for it", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const proxy = client(1);
  const view = generator.view(ir, proxy);
  const hidden = aRouteTable("VirtualService/shop/r", {
    hosts: [reviews],
    exportedTo: ["shop"],
    http: [{ directResponse: { status: 404 } }],
  });
  expect(generator.view(next(ir, { routeTables: new Map([[hidden.name, hidden]]) }), proxy)).toBe(view);
});

test("endpoints that a cluster or a listener holds itself change these", () => {
  const ports = [{ port: 80, applicationProtocol: Protocol.TCP }];
  const dns = aService("x", {
    hostname: "api.example.com",
    addresses: [],
    resolution: Resolution.DNS,
    ports,
  });
  const headless = aService("db", { addresses: [], resolution: Resolution.PASSTHROUGH, ports });
  const sets = (n: number) => [
    anEndpointSet("outbound|80||api.example.com", [{ hostname: `host-${n}.example.net` }]),
    anEndpointSet("outbound|80||db.default.svc.cluster.local", [{ address: `10.0.0.${n}` }]),
  ];
  const generator = new EnvoyGenerator();
  const ir = anIr({ services: [dns, headless], endpointSets: sets(1) });
  const proxy = client(1);
  const before = lists(generator.view(ir, proxy));
  const after = lists(generator.view(next(ir, {}, sets(2)), proxy));
  const differs = (type: (typeof types)[number]) =>
    [...(after[type] ?? [])]
      .filter(([name, resource]) => before[type]?.get(name) !== resource)
      .map(([name]) => name);
  expect(differs("cluster")).toEqual(["outbound|80||api.example.com"]);
  expect(differs("listener")).toEqual(["0.0.0.0_80"]);
  expect(differs("nameTable")).toEqual([""]);
});

test("a workload that gets a port gets an inbound chain, others do not notice", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const [becoming, other] = [client(10), client(11)];
  const before = [generator.view(ir, becoming), generator.view(ir, other)].map(lists);
  const set = anEndpointSet(`outbound|9080||${ratings}`, [{ address: "10.244.9.10", port: 9080 }]);
  const changed = next(ir, {}, [set]);
  expect(generator.view(changed, becoming).resources(envoyTypeUrls.cluster).has("inbound|9080||")).toBe(true);
  expect(generator.view(changed, other).resources(envoyTypeUrls.cluster)).toBe(before[1]?.["cluster"]);
});

test("views of earlier snapshots stay as they were", () => {
  const generator = new EnvoyGenerator();
  const ir = anIr(bookinfo);
  const proxy = client(1);
  const old = generator.view(ir, proxy).resources(envoyTypeUrls.endpoint);
  const version = old.get(`outbound|9080||${ratings}`)?.version;
  generator.view(next(ir, {}, [grown]), proxy);
  expect(old.get(`outbound|9080||${ratings}`)?.version).toBe(version);
});
