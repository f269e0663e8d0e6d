import { join } from "node:path";
import type { ApplierStart, ApplierStatus } from "../world/applier.ts";
import {
  endpointSlices,
  podObject,
  type ServiceRecord,
  serviceObject,
  versionSubsets,
  virtualService,
} from "../world/objects.ts";
import type { RunningProcess } from "../world/running-process.ts";
import { until } from "../world/until.ts";
import { World } from "../world/world.ts";

/** As callers dial it, and where the pods listen. */
const port = 9080;
const targetPort = 8080;
const name = "torture";

/** What the agent does with callers' sockets. */
export type SocketsMode = "off" | NonNullable<ApplierStart["sockets"]>;

/** Versions by pod; requests to a path that begins with one go there. */
const pods = { v1a: "v1", v1b: "v1", v2a: "v2", v2b: "v2", rude: "rude" } as const;
export type PodName = keyof typeof pods;
export const podNames = Object.keys(pods) as PodName[];

/** What the configuration is; each change of it is one version. */
export interface Shape {
  /** Pods that the service's slices do not name. */
  readonly leftOut: readonly PodName[];
  /** Of the requests that either version may answer, how many in a hundred go to v1. */
  readonly v1Weight: number;
  /** Routes that no request asks for, before the others. */
  readonly others: number;
  /** A time limit on the requests to v1, which none reaches. */
  readonly hasTimeout: boolean;
}

export const firstShape: Shape = { leftOut: [], v1Weight: 50, others: 1, hasTimeout: false };

export const program = (file: string): string => join(import.meta.dirname, "build", file);

/** A caller's pod, on a node with a relay, and a service of several versions whose rules take requests apart. */
export class TortureWorld {
  readonly world: World;
  private readonly service: ServiceRecord;
  private readonly sockets: SocketsMode;
  /** Of a process in the caller's pod. */
  callerPid = 0;
  private readonly servers = new Map<PodName, RunningProcess>();

  private constructor(world: World, service: ServiceRecord, sockets: SocketsMode) {
    this.world = world;
    this.service = service;
    this.sockets = sockets;
  }

  /** @param worldName see World.open */
  static async open(worldName: string, sockets: SocketsMode): Promise<TortureWorld> {
    const world = await World.open(worldName);
    try {
      const service = await world.addService(name, [{ name: "http", port, targetPort }]);
      const torture = new TortureWorld(world, service, sockets);
      const labels = (version: string) => ({ app: name, version });
      await world.addPods(
        { name: "caller" },
        ...Object.entries(pods).map(([pod, version]) => ({ name: pod, labels: labels(version) })),
      );
      // As the kubelet has one in each pod before its containers, and with it the pod's network.
      torture.callerPid = world.pod("caller").start("sleep", "infinity").pid ?? 0;
      for (const pod of podNames) {
        const server = await world.pod(pod).startServer(program("server"), pod, String(targetPort));
        torture.servers.set(pod, server);
      }
      await torture.write(firstShape);
      await world.startControlPlane();
      await torture.startAgent();
      return torture;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Over all families of addresses: as callers dial the service. */
  get hosts(): readonly string[] {
    const [ipv4 = "", ipv6 = ""] = this.service.addresses;
    return [ipv4, ipv6, `::ffff:${ipv4}`];
  }

  /** The words that a caller's program is told, before its hosts. */
  readonly port = String(port);

  /** Makes this the configuration, and waits until the node holds it. */
  async change(shape: Shape): Promise<void> {
    await this.world.change(() => this.write(shape));
  }

  status(): Promise<ApplierStatus> {
    return this.world.applier().status();
  }

  /** Ends the relay as a crash would. Resolves when another one listens. */
  async killRelay(): Promise<void> {
    const { relay } = await this.status();
    if (relay?.pid === undefined) throw new Error("no relay runs");
    process.kill(relay.pid, "SIGKILL");
    await this.relayListens(relay.pid);
  }

  /** Ends the agent as a crash would, or in order, and starts it again. */
  async restartAgent(how: "kill" | "stop"): Promise<void> {
    await this.world.applier()[how]();
    await this.startAgent();
  }

  /** Bytes of answers that a pod's server has handed to its sockets. */
  async written(pod: PodName): Promise<number> {
    const server = this.servers.get(pod);
    if (server?.child.stdout == null) throw new Error(`no server runs in pod ${pod}`);
    const line = new Promise<string>((resolve) =>
      server.child.stdout?.once("data", (text) => resolve(String(text))),
    );
    server.child.stdin?.write("written\n");
    return (JSON.parse(await line) as { written: number }).written;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world.close();
  }

  private async startAgent(): Promise<void> {
    const mode = this.sockets === "off" ? {} : { sockets: this.sockets };
    await this.world.startApplier(1, { relay: "builtin", ...mode });
    await this.world.settled();
    await this.relayListens();
  }

  /** @param otherThan its process */
  private async relayListens(otherThan?: number): Promise<void> {
    await until(
      async () => {
        const { relay } = await this.status();
        return relay?.pid !== undefined && relay.pid !== otherThan && relay.networks >= this.world.pods.size;
      },
      { what: "the relay to listen in the networks of all pods" },
    );
  }

  private write(shape: Shape): Promise<void> {
    const named = podNames.filter((pod) => !shape.leftOut.includes(pod));
    return this.world.config.write(name, [
      serviceObject(this.service),
      ...endpointSlices(
        this.service,
        named.map((pod) => this.world.pod(pod)),
      ),
      ...[...this.world.pods.values()].map((pod) => podObject(pod)),
      versionSubsets(name, ["v1", "v2", "rude"]),
      virtualService(name, routesOf(shape)),
    ]);
  }
}

/** As programs/exchange.h has them. */
function routesOf({ v1Weight, others, hasTimeout }: Shape): readonly unknown[] {
  const to = (subset: string, weight?: number) => ({
    destination: { host: name, subset },
    ...(weight === undefined ? {} : { weight }),
  });
  const path = (prefix: string) => [{ uri: { prefix } }];
  return [
    ...Array.from({ length: others }, (_, index) => ({
      match: path(`/nobody-asks/${index}`),
      route: [to("rude")],
    })),
    { match: [{ headers: { "x-to": { exact: "v2" } } }], route: [to("v2")] },
    { match: path("/v1/"), route: [to("v1")], ...(hasTimeout ? { timeout: "300s" } : {}) },
    { match: path("/v2/"), route: [to("v2")] },
    { match: path("/any/"), route: [to("v1", v1Weight), to("v2", 100 - v1Weight)] },
    { match: path("/rude/"), route: [to("rude")] },
  ];
}
