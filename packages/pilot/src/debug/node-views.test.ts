import type { NodeStatus, TypeStatus } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { expect, test } from "vitest";
import { nodeViews } from "./node-views.ts";

const sent = (version: string, ackedVersion: string): TypeStatus => ({
  sentVersion: version,
  ackedVersion,
  sentNonce: version,
  ackedNonce: ackedVersion,
});
const acked = (version: string): TypeStatus => sent(version, version);

function viewOf(fields: Partial<NodeStatus>) {
  const node = { id: "id", name: "a", peer: "10.0.0.1:5", connectedAt: new Date(0), types: {}, ...fields };
  return nodeViews({ nodes: () => [node] }, "12")[0];
}

test("a proxy is no kernel node", () => {
  expect(viewOf({ types: { [envoyTypeUrls.cluster]: acked("2026-01-01T00:00:00Z/1") } })).toBeUndefined();
});

test("a node that owes nothing holds what it should, however old the acks of what did not change", () => {
  expect(viewOf({ types: { a: acked("9"), b: acked("12") } })).toEqual({
    name: "a",
    id: "id",
    peer: "10.0.0.1:5",
    connectedAt: "1970-01-01T00:00:00.000Z",
    wantedVersion: "12",
    appliedVersion: "12",
    rejected: {},
  });
});

test("a node that owes an answer holds what it acked last of what it owes", () => {
  const types = {
    a: acked("2"),
    b: sent("12", "9"),
    c: sent("12", "10"),
  };
  expect(viewOf({ types, pendingSince: new Date(1) })).toMatchObject({
    appliedVersion: "9",
    pendingSince: "1970-01-01T00:00:00.001Z",
  });
});

test("a node that rejected a version holds the one before, and says why", () => {
  const rejection = { version: "12", message: "no room", at: new Date() };
  expect(viewOf({ types: { a: acked("3"), b: { ...sent("12", "11"), rejection } } })).toMatchObject({
    appliedVersion: "11",
    rejected: { b: "no room" },
  });
});

test.each<[string, Partial<NodeStatus>]>([
  ["that asked for nothing yet", {}],
  ["before its first ack", { types: { a: sent("12", "") }, pendingSince: new Date() }],
  [
    "that acked one type and was not sent the others",
    { types: { a: acked("12"), b: sent("", "") }, pendingSince: new Date() },
  ],
])("a node %s holds nothing that is known", (_, fields) => {
  expect(viewOf(fields)?.appliedVersion).toBe("");
});
