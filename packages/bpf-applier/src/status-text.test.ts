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
  statistics: {
    decided: 1n,
    left_alone: 0n,
    uncounted: 0n,
    unremembered: 0n,
    broken_table: 0n,
    relay_missing: 0n,
  },
} as const;

test("a node and its pods", () => {
  expect(statusText(status)).toBe(`node           n1
control plane  connected
services       4
attached to    /kubepods.slice

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
    unwatchedBecause: "ENOSPC",
    rejected: { "type.googleapis.com/x": "map is full" },
  });
  for (const line of ["not connected: no route", "nothing yet", "unwatched      ENOSPC", "map is full"])
    expect(text).toContain(line);
});

test("a node that is left alone", () => {
  expect(statusText({ node: "n1", idleBecause: "no BPF here", connected: true })).toBe(`node           n1
control plane  connected
left alone     no BPF here
`);
});
