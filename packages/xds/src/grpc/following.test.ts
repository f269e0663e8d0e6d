// From one snapshot to the next: what did not change is the same object, and what did is told.
import type { PolicyIr } from "@keelson/protos";
import { expect, test } from "vitest";
import { Standings } from "../envoy/state/standings.ts";
import { aHostPolicy, anEndpointSet, anIr, aRouteTable, aService } from "../envoy/testing/builders.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import { GrpcGenerator } from "./generator.ts";
import { aProcess, echo, echoMesh } from "./testing/grpc-world.ts";

const { cluster, endpoint, listener, route } = envoyTypeUrls;
const types = [cluster, endpoint, listener, route];
const set = `outbound|7070||${echo}`;
const routesName = set;

const client = (n: number) =>
  aProcess({ id: `sidecar~10.244.9.${n}~client-${n}.default~default.svc.cluster.local` });
const server = aProcess({ id: "sidecar~10.244.1.1~echo-v1.default~default.svc.cluster.local" });

/** What changes from one snapshot to the next for a process; names of types, of which the lists are other objects. */
function changes(change: (ir: PolicyIr) => Partial<PolicyIr>, node = client(1)) {
  const generator = new GrpcGenerator(new Standings());
  const ir = anIr(echoMesh);
  const before = generator.view(ir, node);
  const lists = types.map((type) => before.resources(type));
  const after = generator.view({ ...ir, ...change(ir) }, node);
  const changed = types.filter((type, i) => after.resources(type) !== lists[i]);
  return { before, after, changed };
}

const withSet = ({ endpointSets }: PolicyIr, address: string) => ({
  endpointSets: new Map(endpointSets).set(set, anEndpointSet(set, [{ address, port: 17070 }])),
});

test("a snapshot in which nothing changed gives the very same view", () => {
  const { before, after } = changes(({ services }) => ({ services: new Map(services) }));
  expect(after).toBe(before);
});

test("an endpoint that changes changes endpoints, and for a client nothing else", () => {
  const { before, after, changed } = changes((ir) => withSet(ir, "10.244.1.3"));
  expect(changed).toEqual([endpoint]);
  const names = [`${echo}:7070`, "echo:7070"];
  for (const name of names) expect(after.lookup(listener, name)).toBe(before.lookup(listener, name));
});

test("a rule changes routes and leaves the listener as it is", () => {
  const table = aRouteTable("VirtualService/default/echo", {
    hosts: [echo],
    http: [{ directResponse: { status: 404 } }],
  });
  const { before, after, changed } = changes(() => ({ routeTables: new Map([[table.name, table]]) }));
  expect(changed).toContain(route);
  expect(changed).not.toContain(endpoint);
  const version = (view: typeof before, type: string, name: string) => view.lookup(type, name)?.version;
  expect(version(after, route, routesName)).not.toBe(version(before, route, routesName));
  expect(version(after, listener, "echo:7070")).toBe(version(before, listener, "echo:7070"));
});

test("subsets that a policy adds have clusters and endpoints", () => {
  const policy = aHostPolicy("DestinationRule/default/echo", {
    hostname: echo,
    subsets: [{ name: "first", labels: { version: "v1" } }],
  });
  const { before, after } = changes(() => ({ hostPolicies: new Map([[policy.name, policy]]) }));
  const name = `outbound|7070|first|${echo}`;
  for (const type of [cluster, endpoint]) {
    expect(before.lookup(type, name)).toBeUndefined();
    expect(after.lookup(type, name)).toBeDefined();
  }
});

test("a service that comes is found by names that led nowhere before", () => {
  const ping = aService("ping", { ports: [{ port: 7070 }] });
  const { before, after, changed } = changes(({ services }) => ({
    services: new Map(services).set(ping.hostname, ping),
  }));
  expect(changed).toContain(listener);
  expect(before.lookup(listener, "ping:7070")).toBeUndefined();
  expect(after.lookup(listener, "ping:7070")).toBeDefined();
});

test("a server's listener goes with the last service that leads to it, and comes with the first", () => {
  const name = "xds.istio.io/grpc/lds/inbound/0.0.0.0:17070";
  const { before, after, changed } = changes((ir) => withSet(ir, "10.244.1.3"), server);
  expect(changed).toEqual([endpoint, listener]);
  expect(before.lookup(listener, name)).toBeDefined();
  expect(after.lookup(listener, name)).toBeUndefined();
});

test("processes that are alike share what they get, servers all but their listeners", () => {
  const generator = new GrpcGenerator(new Standings());
  const ir = anIr(echoMesh);
  const [first, second, third] = [client(1), client(2), server].map((node) => generator.view(ir, node));
  expect(second?.resources(cluster)).toBe(first?.resources(cluster));
  expect(second?.lookup(route, routesName)).toBe(first?.lookup(route, routesName));
  expect(third?.resources(endpoint)).toBe(first?.resources(endpoint));
  expect(third?.lookup(listener, "echo:7070")).toBe(first?.lookup(listener, "echo:7070"));
});
