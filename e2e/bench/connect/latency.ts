import assert from "node:assert/strict";
import { endpointSlices, podObject, serviceObject } from "../../world/objects.ts";
import type { Pod } from "../../world/pod.ts";
import { controlPlaneStatus } from "../../world/settled.ts";
import type { World } from "../../world/world.ts";
import { nativeProgram } from "../native-programs.ts";
import { median, ratioOf, type Spread, type Tail, tailOf } from "../spread.ts";
import { ConnectProbe, type Dialled } from "./connect-probe.ts";

/** What a connection meets. */
export type Path = "direct, no programs" | "direct, programs" | "service address, programs";
const baseline: Path = "direct, no programs";
const paths: readonly Path[] = [baseline, "direct, programs", "service address, programs"];

export interface PathLatency {
  readonly path: Path;
  /** Of all single calls. */
  readonly nanoseconds: Tail;
  /** To the direct path without programs: medians of the same round. */
  readonly ratio: Spread;
}

export interface ConnectLatency {
  readonly transport: "TCP" | "UDP";
  readonly family: "IPv4" | "IPv6";
  readonly paths: readonly PathLatency[];
}

export interface LatencyFigures {
  /** How many services the node's tables hold meanwhile. */
  readonly services: number;
  readonly rounds: number;
  readonly connectsPerRound: number;
  /** Connections that the node's maps counted; exactly as many were made through the service address. */
  readonly counted: number;
  readonly latencies: readonly ConnectLatency[];
}

export interface LatencyScale {
  readonly rounds: number;
  /** Calls on each path in each round. */
  readonly connectsPerRound: number;
}

const port = 80;
const targetPort = 8080;
const kinds = (["TCP", "UDP"] as const).flatMap((transport) =>
  (["IPv4", "IPv6"] as const).map((family) => ({ transport, family })),
);
type Kind = (typeof kinds)[number];

/** Everything that stays the same from round to round. */
interface Bench {
  readonly probe: ConnectProbe;
  readonly server: Pod;
  readonly serviceAddresses: readonly string[];
  readonly cgroups: Readonly<Record<Path, string>>;
}

/**
 * Times connect() of one process that dials one server on three paths: to the endpoint from a cgroup that no program
 * hangs on, to the endpoint from its pod's cgroup, and to the service address from there. In every round all three are
 * measured within a moment, in turns of order, so that what the machine does beside hits them alike. A TCP connection
 * goes over a veth pair and a bridge to another namespace, and is done when connect() returns.
 */
export async function measureLatency(world: World, scale: LatencyScale): Promise<LatencyFigures> {
  const bench = await setUp(world);
  await assertPaths(bench);
  const before = await countedConnections(world);
  const latencies: ConnectLatency[] = [];
  for (const kind of kinds) latencies.push(await measureKind(bench, kind, scale));
  const counted = (await countedConnections(world)) - before;
  // The first round of each kind is not among the figures.
  assert.equal(
    counted,
    kinds.length * (scale.rounds + 1) * scale.connectsPerRound,
    "connections in the node's maps",
  );
  return { services: (await controlPlaneStatus(world.controlPlane)).services, ...scale, counted, latencies };
}

/** A service with one pod, and a caller, added to what runs already. */
async function setUp(world: World): Promise<Bench> {
  const service = await world.addService("target", [
    { name: "tcp", port, targetPort },
    { name: "udp", port, targetPort, protocol: "UDP" },
  ]);
  await world.addPods({ name: "caller" }, { name: "server" });
  const [caller, server] = [world.pod("caller"), world.pod("server")];
  await server.startServer(await nativeProgram("accept-server"), String(targetPort));
  await world.change((config) =>
    config.write("target", [
      serviceObject(service),
      ...endpointSlices(service, [server]),
      podObject(caller),
      podObject(server),
    ]),
  );
  return {
    probe: await ConnectProbe.start(await nativeProgram("connect-probe"), caller),
    server,
    serviceAddresses: service.addresses,
    cgroups: {
      "direct, no programs": world.systemCgroup,
      "direct, programs": caller.place.cgroup,
      "service address, programs": caller.place.cgroup,
    },
  };
}

function dialledOn(path: Path, { transport, family }: Kind, { server, serviceAddresses }: Bench): Dialled {
  const [ipv4 = "", ipv6 = ""] =
    path === "service address, programs" ? serviceAddresses : [server.ipv4, server.ipv6];
  return {
    transport: transport === "TCP" ? "tcp" : "udp",
    address: family === "IPv4" ? ipv4 : ipv6,
    port: path === "service address, programs" ? port : targetPort,
  };
}

/** Where programs are said to hang on a cgroup the service address leads somewhere, and nowhere else. */
async function assertPaths(bench: Bench): Promise<void> {
  for (const kind of kinds) {
    const service = dialledOn("service address, programs", kind, bench);
    for (const [path, cgroup] of Object.entries(bench.cgroups)) {
      await bench.probe.moveTo(cgroup);
      const reached = (await bench.probe.tryOnce(service)) === 0;
      assert.equal(
        reached,
        path !== baseline,
        `${kind.transport} over ${kind.family} to the service, as "${path}"`,
      );
    }
  }
}

async function measureKind(bench: Bench, kind: Kind, scale: LatencyScale): Promise<ConnectLatency> {
  const rounds: Record<Path, Uint32Array>[] = [];
  for (let round = 0; round <= scale.rounds; round++) {
    const measured = await measureRound(bench, kind, scale.connectsPerRound, round);
    if (round > 0) rounds.push(measured);
  }
  const mediansOf = (path: Path): number[] => rounds.map((round) => median(round[path]));
  const without = mediansOf(baseline);
  return {
    ...kind,
    paths: paths.map((path) => ({
      path,
      nanoseconds: tailOf(rounds.flatMap((round) => [...round[path]])),
      ratio: ratioOf(mediansOf(path), without),
    })),
  };
}

async function measureRound(
  bench: Bench,
  kind: Kind,
  count: number,
  round: number,
): Promise<Record<Path, Uint32Array>> {
  const measured: Partial<Record<Path, Uint32Array>> = {};
  for (const path of round % 2 === 0 ? paths : paths.toReversed()) {
    await bench.probe.moveTo(bench.cgroups[path]);
    measured[path] = await bench.probe.measure(dialledOn(path, kind, bench), count);
  }
  return measured as Record<Path, Uint32Array>;
}

/** Connections to the server's pod that the node's maps hold. */
async function countedConnections(world: World): Promise<number> {
  const edges = await world.applier().edges();
  const own = edges.filter(
    ({ source, workload }) => source === "default/caller" && workload === "default/server",
  );
  return Number(own.reduce((sum, { connections }) => sum + connections, 0n));
}
