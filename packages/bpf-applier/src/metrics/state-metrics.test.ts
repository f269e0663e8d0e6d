import { expect, test } from "vitest";
import { type AgentState, stateMetrics } from "./state-metrics.ts";

const good: AgentState = { isIdle: false, connected: true, rejected: {} };
const relay = { pid: 7, networks: 1, connections: 0, requests: 0n, restarts: 3, refused: { overflow: 2 } };

/** What is not 0, and all names. */
function read(state: AgentState): { set: string[]; names: string[] } {
  const lines = stateMetrics(state)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return {
    set: lines.filter((line) => !line.endsWith(" 0")),
    names: lines.map((line) => line.split(" ")[0] ?? ""),
  };
}

test("a node that is as it should be, without a relay and with one", () => {
  expect(read(good).set).toEqual(["keelson_control_plane_connected 1"]);
  expect(read(good).names).not.toContain("keelson_relay_up");
  expect(read({ ...good, relay }).set).toEqual([
    "keelson_control_plane_connected 1",
    "keelson_relay_up 1",
    "keelson_relay_restarts_total 3",
    'keelson_relay_refused_total{reason="overflow"} 2',
  ]);
});

test("all that may be wrong", () => {
  const { pid: _, ...away } = relay;
  const wrong: AgentState = {
    isIdle: false,
    connected: false,
    rejected: { a: "no", b: "no" },
    unsavedBecause: "ENOSPC",
    relay: { ...away, bypassed: true },
    sockets: { mode: "off", lowerBecause: "no CAP_PERFMON" },
  };
  expect(read(wrong).set).toEqual([
    "keelson_policy_rejected_types 2",
    "keelson_policy_unsaved 1",
    "keelson_sockets_lowered 1",
    "keelson_relay_bypassed 1",
    "keelson_relay_restarts_total 3",
    'keelson_relay_refused_total{reason="overflow"} 2',
  ]);
});

test("a node that is left alone", () => {
  expect(read({ isIdle: true, connected: false, rejected: {} })).toEqual({
    set: ["keelson_node_left_alone 1"],
    names: ["keelson_node_left_alone", "keelson_control_plane_connected"],
  });
});
