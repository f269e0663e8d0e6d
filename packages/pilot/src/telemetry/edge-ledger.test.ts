import { create } from "@bufbuild/protobuf";
import { EdgeSchema, type ReportEdgesRequest, ReportEdgesRequestSchema } from "@keelson/protos/telemetry";
import { expect, test } from "vitest";
import { EdgeLedger } from "./edge-ledger.ts";

const report = (node: string, edges = 1): ReportEdgesRequest =>
  create(ReportEdgesRequestSchema, {
    node,
    takenAtMs: 1_000n,
    edges: Array.from({ length: edges }, () => create(EdgeSchema, { service: "reviews", connections: 3n })),
  });

test("the last report of a node replaces the one before", () => {
  const ledger = new EdgeLedger();
  ledger.take(report("b", 1));
  ledger.take(report("a", 1));
  ledger.take(report("b", 2));
  expect(ledger.reports().map(({ node, edges }) => [node, edges.length])).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
});

test("what peers send is bounded, and a node that is known goes on", () => {
  const ledger = new EdgeLedger({ nodes: 1, edgesPerNode: 2, edges: 10 });
  ledger.take(report("a"));
  expect(() => ledger.take(report("b"))).toThrow(/node b: 1 other nodes/);
  expect(() => ledger.take(report("a", 3))).toThrow(/3 edges, more than 2/);
  expect(() => ledger.take(report(""))).toThrow(/names no node/);
  ledger.take(report("a", 2));
  expect(ledger.reports()[0]?.edges).toHaveLength(2);
});

test("what all nodes report is bounded, too", () => {
  const ledger = new EdgeLedger({ nodes: 10, edgesPerNode: 5, edges: 6 });
  ledger.take(report("a", 3));
  ledger.take(report("b", 3));
  expect(() => ledger.take(report("c", 1))).toThrow(/more than 6/);
  ledger.take(report("a", 2));
  ledger.take(report("c", 1));
  expect(() => ledger.take(report("x".repeat(254)))).toThrow(/254 characters/);
});
