import type { Resource } from "@keelson/protos";
import { expect, test } from "vitest";
import { Snapshots } from "./snapshots.ts";

const resources = (...versions: string[]) => {
  const byName = new Map<string, Resource>(
    versions.map((version, i) => [`r${i}`, { name: `r${i}`, version, body: new Uint8Array() }]),
  );
  return new Map([["type", byName]]);
};

test("the version grows when, and only when, a resource differs", () => {
  const snapshots = new Snapshots(7n);
  expect(snapshots.next(resources("a"))?.version).toBe(7n);
  expect(snapshots.next(resources("a"))).toBeUndefined();
  expect(snapshots.next(resources("b"))?.version).toBe(8n);
  expect(snapshots.next(resources("b", "c"))?.version).toBe(9n);
  expect(snapshots.next(resources("b"))?.version).toBe(10n);
  expect(snapshots.version).toBe(10n);
});

test("a resource that moves to another node is a difference", () => {
  const snapshots = new Snapshots(1n);
  const at = (node: string) =>
    new Map([["type", new Map([["w", { name: "w", version: "1", body: new Uint8Array(), node }]])]]);
  snapshots.next(at("a"));
  expect(snapshots.next(at("b"))?.version).toBe(2n);
});
