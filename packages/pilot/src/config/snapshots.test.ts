import { create } from "@bufbuild/protobuf";
import { noCredentials } from "@keelson/model";
import type { PolicyIr, Resource } from "@keelson/protos";
import { MeshSchema } from "@keelson/protos/proxy";
import { type RouteTable, RouteTableSchema } from "@keelson/protos/route";
import { expect, test } from "vitest";
import { Snapshots } from "./snapshots.ts";

const mesh = create(MeshSchema);
const policy = (resources: readonly Resource[], tables: readonly RouteTable[] = []) => {
  const none = new Map();
  const ir: PolicyIr = {
    mesh,
    services: none,
    endpointSets: none,
    workloads: none,
    routeTables: new Map(tables.map((table) => [table.name, table])),
    hostPolicies: none,
    gateways: none,
    sidecarScopes: none,
    peerAuthentications: none,
    extensions: none,
    externalNames: none,
  };
  const byName = new Map(resources.map((each) => [each.name, each]));
  return { ir, credentials: noCredentials, resources: new Map([["type", byName]]) };
};
const named = (...versions: string[]) =>
  versions.map((version, i) => ({ name: `r${i}`, version, body: new Uint8Array() }));

test("the version grows when, and only when, a resource differs", () => {
  const snapshots = new Snapshots(7n);
  expect(snapshots.next(policy(named("a")))?.version).toBe(7n);
  expect(snapshots.next(policy(named("a")))).toBeUndefined();
  expect(snapshots.next(policy(named("b")))?.version).toBe(8n);
  expect(snapshots.next(policy(named("b", "c")))?.version).toBe(9n);
  expect(snapshots.next(policy(named("b")))?.version).toBe(10n);
  expect(snapshots.version).toBe(10n);
});

test("a resource that moves to another node is a difference", () => {
  const snapshots = new Snapshots(1n);
  const at = (node: string) => policy([{ name: "w", version: "1", body: new Uint8Array(), node }]);
  snapshots.next(at("a"));
  expect(snapshots.next(at("b"))?.version).toBe(2n);
});

test("what proxies alone are served from is a difference, and so is its order", () => {
  const snapshots = new Snapshots(1n);
  const [a, b] = [create(RouteTableSchema, { name: "a" }), create(RouteTableSchema, { name: "b" })] as const;
  snapshots.next(policy([], [a]));
  expect(snapshots.next(policy([], [a]))).toBeUndefined();
  expect(snapshots.next(policy([], [a, b]))?.version).toBe(2n);
  expect(snapshots.next(policy([], [b, a]))?.version).toBe(3n);
  expect(snapshots.next(policy([], [b, create(RouteTableSchema, { name: "a" })]))?.version).toBe(4n);
});

test("credentials are beside the policy, and a difference", () => {
  const snapshots = new Snapshots(1n);
  snapshots.next(policy([]));
  const next = { ...policy([]), credentials: { ...noCredentials } };
  expect(snapshots.next(next)).toMatchObject({ version: 2n, credentials: next.credentials });
  expect(snapshots.next(next)).toBeUndefined();
});
