import { expect, test } from "vitest";
import { statusText } from "./status-text.ts";

const status = {
  node: "n1",
  cgroup: "/sys/fs/cgroup",
  connected: true,
  rejected: {},
  types: {},
  services: 4,
  flips: "7",
  attachedTo: ["/kubepods.slice"],
  pods: [
    { name: "default/web", uid: "1", cgroup: "/kubepods.slice/1", decided: true, why: "it is in the mesh" },
    { name: "", uid: "2", cgroup: "/kubepods.slice/2", decided: false, why: "its network is the node's" },
  ],
  workloadsWithoutCgroup: [],
  sockets: { mode: "count" },
  statistics: {
    decided: 1n,
    left_alone: 0n,
    uncounted: 0n,
    unremembered: 0n,
    broken_table: 0n,
    relay_missing: 0n,
    switched_requests: 0n,
    moved_answers: 0n,
    passed_head: 0n,
    passed_rule: 0n,
    passed_behind: 0n,
    passed_key: 0n,
    passed_no_link: 0n,
    passed_no_endpoint: 0n,
    shortcuts: 0n,
    broken_exchanges: 0n,
    lost_conversations: 0n,
    lost_records: 0n,
  },
} as const;

test("a node and its pods", () => {
  expect(statusText(status)).toBe(`node           n1
control plane  connected
services       4
attached to    /kubepods.slice
relay          none: connections are decided once
sockets        count

POD          DECIDED  WHY
default/web  yes      it is in the mesh
uid 2        no       its network is the node's
`);
});

test("what is wrong is told", () => {
  const text = statusText({
    ...status,
    connected: false,
    connectionError: "no route",
    attachedTo: [],
    unsavedBecause: "EROFS",
    displaced: true,
    unwatchedBecause: "ENOSPC",
    rejected: { "type.googleapis.com/x": "map is full" },
  });
  const lines = [
    "not connected: no route",
    "nothing yet",
    "not saved      EROFS",
    "displaced      its programs do not hang",
    "unwatched      ENOSPC",
    "map is full",
  ];
  for (const line of lines) expect(text).toContain(line);
});

test("a node that is left alone", () => {
  expect(statusText({ node: "n1", idleBecause: "no BPF here", connected: true })).toBe(`node           n1
control plane  connected
left alone     no BPF here
`);
});

test("a relay that runs, one that came back, and one that is away", () => {
  const relay = { networks: 2, connections: 3, requests: "40", restarts: 0 };
  const lineOf = (told: Parameters<typeof statusText>[0]): string | undefined =>
    statusText(told)
      .split("\n")
      .find((line) => line.startsWith("relay"));
  const pods = status.pods;
  const text = (more: object): string | undefined =>
    lineOf({ ...status, flips: "7", pods, relay: { ...relay, ...more } });
  expect(text({ pid: 12 })).toMatch(/process 12; 2 networks, 3 connections, 40 requests$/);
  expect(text({ pid: 12, restarts: 1, endedBecause: "SIGKILL" })).toMatch(
    /; started again 1 time \(SIGKILL\)$/,
  );
  expect(text({ restarts: 1, endedBecause: "SIGKILL" })).toMatch(
    /away: callers wait for it; started again 1 time \(SIGKILL\)$/,
  );
  expect(text({ restarts: 4, endedBecause: "SIGKILL", bypassed: true })).toMatch(
    /away: connections are decided once, without rules for requests; started again 4 times \(SIGKILL\)$/,
  );
});

test("what programs take off the way to the relay, and which ports they leave to it", () => {
  const why = "its callers speak GRPC, and programs read HTTP/1.1";
  const switching = {
    ports: 2,
    beingMade: 0,
    tables: 1,
    tableBytes: 65_536,
    rings: 2,
    ringBytes: 32_768,
    partly: [{ hostname: "shop.default.svc.cluster.local", port: 80, why: "rings have no room" }],
    others: [{ hostname: "web.default.svc.cluster.local", port: 9080, why }],
  };
  const statistics = { ...status.statistics, switched_requests: 9n, moved_answers: 8n, passed_behind: 3n };
  const text = statusText({ ...status, sockets: { mode: "switch" }, switching, statistics });
  expect(text).toContain(
    `
sockets              switch
switched ports       2, by 1 match table of 64 KiB, 2 rings of 32 KiB
partly switched      shop.default.svc.cluster.local:80: rings have no room
not switched         web.default.svc.cluster.local:9080: ${why}
switched requests    9, of whose answers 8 moved
passed to the relay  0 by head or size, 0 by rule, 3 behind others, 0 by what they are hashed by, 0 without a link, 0 without an endpoint
`,
  );
});

test("a mode that is lower than the one asked for says why", () => {
  const sockets = { mode: "count", lowerBecause: "the kernel refuses keelson_answer" } as const;
  expect(statusText({ ...status, sockets })).toContain("count: the kernel refuses keelson_answer");
});
