import { statistics } from "@keelson/bpf";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfMap } from "bpf-maps-native";
import { type Envoy, startEnvoy } from "../peers/envoy.ts";
import { freePort } from "../world/free-port.ts";
import { KeepAliveCaller } from "../world/keep-alive-caller.ts";
import { cgroupsFound } from "../world/settled.ts";
import { until } from "../world/until.ts";
import { World } from "../world/world.ts";
import type { Case } from "./cases.ts";
import { type EchoServer, startEcho } from "./echo.ts";
import { HttpSide } from "./http-side.ts";
import { addressOf, dialled, meshOf } from "./mesh.ts";
import { NodePolicy } from "./node-policy.ts";
import { sendByCaller } from "./sender.ts";
import { staticBootstrap } from "./static-bootstrap.ts";

type Statistic = (typeof statistics)[number];

/**
 * A node whose services are the cases, and whose programs take requests: with one pod, in whose network stand the caller, all
 * endpoints, and an Envoy with the same rules as its sidecar would be.
 */
export class SwitchingNode implements AsyncDisposable {
  /** By whose address consistent hashing knows it. */
  readonly callerAddress: string;
  readonly echoPort: number;
  readonly envoy: HttpSide;
  private readonly ends: AsyncDisposableStack;
  private readonly counters: BpfMap;
  private readonly sides: readonly HttpSide[];

  private constructor(
    parts: Pick<SwitchingNode, "callerAddress" | "echoPort" | "envoy">,
    ends: AsyncDisposableStack,
    counters: BpfMap,
    sides: readonly HttpSide[],
  ) {
    this.callerAddress = parts.callerAddress;
    this.echoPort = parts.echoPort;
    this.envoy = parts.envoy;
    this.ends = ends;
    this.counters = counters;
    this.sides = sides;
  }

  /** @throws Error if the kernel lets no program take requests, or the node does not hold all cases */
  static async start(cases: readonly Case[]): Promise<SwitchingNode> {
    await using ends = new AsyncDisposableStack();
    const world = ends.use(await World.open("relaypolicy"));
    const [pod] = await world.addPods({ name: "caller" });
    if (pod === undefined) throw new Error("the world made no pod");
    const caller = ends.use(await KeepAliveCaller.start(pod));
    const echo: EchoServer = ends.use(await startEcho(`/proc/${caller.pid}/ns/net`));
    const envoyPort = await freePort();
    const listen = { address: pod.ipv4, port: envoyPort };
    const envoy: Envoy = await startEnvoy({
      bootstrap: staticBootstrap(meshOf(cases, echo.port), dialled, listen),
      place: { namespace: pod.place.namespace },
    });
    ends.defer(() => envoy.stop());
    const policy = ends.use(
      await NodePolicy.serve(world.controlPlane.grpcAddress, cases, { caller: pod, echoPort: echo.port }),
    );
    await holdsAll(world, cases.length, policy);
    const pins = await PinFolder.find(world.applier().node);
    const counters = ends.use(BpfMap.openPinned(pins.map("statistics")));
    const sideAt = (host: string, port: number): HttpSide =>
      new HttpSide(sendByCaller(caller, { host, port }), echo);
    const sides = cases.map((_, number) => sideAt(addressOf(number), dialled));
    const parts = {
      callerAddress: pod.ipv4,
      echoPort: echo.port,
      envoy: sideAt(pod.ipv4, envoyPort),
    };
    return new SwitchingNode(parts, ends.move(), counters, sides);
  }

  /** What callers reach that dial a case's address. */
  side(number: number): HttpSide {
    const side = this.sides[number];
    if (side === undefined) throw new Error(`there is no case ${number}`);
    return side;
  }

  /** As the node's programs have counted until now. */
  count(name: Statistic): number {
    const key = new Uint8Array(new Uint32Array([statistics.indexOf(name)]).buffer);
    const perCpu = this.counters.lookupPerCpu(key) ?? [];
    return perCpu.reduce((sum, bytes) => sum + Number(Buffer.from(bytes).readBigUInt64LE()), 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.ends.disposeAsync();
  }
}

async function holdsAll(world: World, services: number, policy: NodePolicy): Promise<void> {
  const applier = await world.startApplier(1, { relay: "builtin", sockets: "switch" });
  await until(
    async () => {
      await applier.assertAlive();
      const status = await applier.status();
      if (status.sockets.mode !== "switch") throw new Error(status.sockets.lowerBecause);
      const [refused] = policy.refused;
      if (refused !== undefined) throw new Error(refused);
      const { switching, relay } = status;
      return status.services === services && switching?.beingMade === 0 && relay?.networks === 1;
    },
    { what: "the node to hold all cases" },
  );
  await cgroupsFound(applier, ["default/caller"]);
}
