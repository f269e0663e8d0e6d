import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type AgentStatus, askAgent, judgeAgent } from "./agent.ts";
import { judgeGeneration } from "./kernel-state.ts";

const good: AgentStatus = {
  cgroup: "/host/cgroup",
  connected: true,
  rejected: {},
  types: { "type.googleapis.com/keelson.policy.v1.Service": { version: "7" } },
  services: 3,
  flips: "4",
  workloadsWithoutCgroup: [],
  pods: [{ decided: true }],
  relay: { pid: 7, networks: 1 },
  sockets: { mode: "off" },
};

const judged = (part: Partial<AgentStatus>): string[] =>
  judgeAgent({ socket: "/run/n1.sock", status: { ...good, ...part } }).map(
    ({ state, check, found }) => `${state} ${check}: ${found}`,
  );

test("an agent that has all", () => {
  expect(judged({})).toEqual([
    "ok agent: answers at /run/n1.sock, serves callers below /host/cgroup",
    "ok control plane: connected",
    "ok policy: 3 services; Service 7",
    "ok pods: each has its cgroup",
    "ok relay: process 7 listens in 1 networks",
  ]);
  expect(judged({ displaced: true })[0]).toMatch(/^error agent: .*its programs do not hang any more/);
});

test.each([
  [undefined, "ok relay: none: every connection is decided once"],
  [{ networks: 0, endedBecause: "SIGKILL" }, "error relay: it does not run: SIGKILL"],
  [{ pid: 7, networks: 0 }, "warning relay: process 7 listens in 0 networks, though there are pods"],
])("a relay of %j", (relay, line) => {
  const { relay: _, ...without } = good;
  const status = relay === undefined ? without : { ...good, relay };
  expect(
    judgeAgent({ socket: "", status }).map(({ state, check, found }) => `${state} ${check}: ${found}`),
  ).toContain(line);
});

test.each([
  [{ mode: "switch" } as const, "ok sockets: as with --sockets=switch"],
  [
    { mode: "count", lowerBecause: "no CAP_PERFMON" } as const,
    "warning sockets: treated as with --sockets=count: no CAP_PERFMON",
  ],
])("sockets of %j", (sockets, line) => {
  expect(judged({ sockets })).toContain(line);
});

test("one that is cut off, has refused something, and misses pods", () => {
  const lines = judged({
    connected: false,
    connectionError: "14 UNAVAILABLE",
    rejected: { "type.googleapis.com/keelson.policy.v1.Service": "a: no port\nb: no port" },
    types: {},
    workloadsWithoutCgroup: ["p1", "p2", "p3", "p4", "p5", "p6"],
    unsavedBecause: "ENOSPC",
  });
  expect(lines.slice(1)).toEqual([
    "error control plane: not connected: 14 UNAVAILABLE",
    "error policy: Service refused: a: no port",
    "warning policy: 3 services of the last policy on this node's disk; nothing from a control plane since the start",
    "warning saved policy: not what the tables hold: ENOSPC",
    "warning pods: 6 without a cgroup: p1, p2, p3, p4, p5, …",
    "ok relay: process 7 listens in 1 networks",
  ]);
});

test("one that leaves the node alone", () => {
  const status = { idleBecause: "no BPF here", connected: false, connectionError: "14 UNAVAILABLE" };
  expect(judgeAgent({ socket: "/run/n1.sock", status })).toMatchObject([
    { state: "error", found: "answers at /run/n1.sock, and leaves the node alone: no BPF here" },
    { state: "error", check: "control plane" },
  ]);
});

test("no agent, and one that is still starting", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-agent-"));
  const server = createServer((_, response) => response.writeHead(503).end("starting\n"));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const none = judgeAgent(await askAgent(folder, "n1"));
  expect(none).toMatchObject([{ state: "error", found: `none answers at ${folder}/n1.sock (ENOENT)` }]);
  await new Promise<void>((resolve) => server.listen(join(folder, "n1.sock"), resolve));
  expect(judgeAgent(await askAgent(folder, "n1"))).toMatchObject([
    { state: "error", found: `none answers at ${folder}/n1.sock (it answers 503: starting)` },
  ]);
});

test("tables that are as the agent says, that are not, that are empty", () => {
  expect(judgeGeneration(4n, good).state).toBe("ok");
  expect(judgeGeneration(5n, good)).toMatchObject({
    state: "error",
    found: "replaced 5 times, but the agent says 4",
  });
  expect(judgeGeneration(undefined, good).state).toBe("warning");
  expect(judgeGeneration(5n, undefined).state).toBe("ok");
});
