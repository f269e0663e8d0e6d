import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfMap } from "bpf-maps-native";
import { bytes, Calls } from "../kernel-behaviour/calls.ts";
import { flag, Socket, socketAddress } from "../kernel-behaviour/sockets.ts";
import type { Family } from "../scenarios/reviews-world.ts";
import type { ApplierStart } from "../world/applier.ts";
import { namespaceFolder } from "../world/names.ts";
import { endpointSlices, podObject, type ServiceRecord, serviceObject } from "../world/objects.ts";
import type { Pod } from "../world/pod.ts";
import type { RunningProcess } from "../world/running-process.ts";
import { until } from "../world/until.ts";
import { World } from "../world/world.ts";
import { CallerSocket } from "./caller-socket.ts";
import type { DigestResult, DigestTask } from "./digest-task.ts";

const port = 9080;
const targetPort = 8080;
const program = (name: string): string => join(import.meta.dirname, "programs", name);

/** What the node's maps hold of the caller's requests. */
export interface Counted {
  readonly requests: number;
  readonly bytes: number;
  /** Connections whose requests are counted no more. */
  readonly lost: number;
}

/** What is done with the sockets: see `--sockets` of the agent. */
export const lookingModes = ["count", "queue"] as const;
export type LookingMode = (typeof lookingModes)[number];

/** Sent by itself, once so many answers have come. */
export interface Piece {
  readonly text: string;
  readonly afterAnswers: number;
}

/** A caller, and a service with one pod, on a node that looks at what they send. */
export class RequestsWorld {
  readonly world: World;
  readonly mode: LookingMode;
  private readonly service: ServiceRecord;
  private server: RunningProcess;

  private constructor(world: World, mode: LookingMode, service: ServiceRecord, server: RunningProcess) {
    this.world = world;
    this.mode = mode;
    this.service = service;
    this.server = server;
  }

  /** @param name of the world, see World.open */
  static async open(name: string, mode: LookingMode): Promise<RequestsWorld> {
    const world = await World.open(name);
    try {
      const service = await world.addService("digests", [{ name: "http", port, targetPort }]);
      const [, serving] = await world.addPods(
        { name: "caller", labels: { app: "caller" } },
        { name: "digests", labels: { app: "digests" } },
      );
      assert.ok(serving);
      const server = await startServer(serving);
      await world.config.write("digests", [
        serviceObject(service),
        ...endpointSlices(service, [serving]),
        ...[...world.pods.values()].map((pod) => podObject(pod)),
      ]);
      await world.startControlPlane();
      const requests = new RequestsWorld(world, mode, service, server);
      await requests.startLooking();
      return requests;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Starts an agent that looks at sockets. */
  async startLooking(more: Pick<ApplierStart, "startedBy" | "otherLayouts"> = {}): Promise<void> {
    await this.world.startApplier(1, { ...more, sockets: this.mode, relay: "builtin" });
    await this.world.settled();
  }

  close(): Promise<void> {
    return this.world.close();
  }

  address(family: Family): string {
    const [ipv4 = "", ipv6 = ""] = this.service.addresses;
    return family === "IPv4" ? ipv4 : ipv6;
  }

  /** Sends requests until all are answered. */
  async digests(task: Omit<DigestTask, "port">): Promise<DigestResult> {
    return resultOf(this.startDigests(task));
  }

  /** Sends requests, and ends the caller by kill -9 while some are under way. */
  async killCaller(task: Omit<DigestTask, "port" | "requests">): Promise<void> {
    const client = this.startDigests(task);
    await this.underWay();
    await client.kill();
  }

  /** Ends the server by kill -9, and starts it again. */
  async killServer(): Promise<void> {
    await this.server.kill();
    this.server = await startServer(this.world.pod("digests"));
  }

  /** Sends requests while something happens. */
  async digestsDuring(
    task: Omit<DigestTask, "port" | "requests">,
    action: () => Promise<void>,
  ): Promise<DigestResult> {
    const client = this.startDigests(task);
    const result = resultOf(client);
    result.catch(() => undefined);
    await this.underWay();
    await action();
    client.child.stdin?.write("end\n");
    return result;
  }

  /** Sends pieces as they are on one connection. @returns all that came back. */
  async raw(host: string, pieces: readonly Piece[]): Promise<string> {
    const args = [host, String(port), JSON.stringify(pieces)];
    const client = this.caller.startPiped(process.execPath, program("raw-client.ts"), ...args);
    return outputOf(client);
  }

  /** A connection of the caller over IPv4 that does what a test says, call by call. */
  async callerSocket(): Promise<CallerSocket> {
    const { cgroup, namespace } = this.caller.place;
    const calls = await Calls.start(cgroup, { namespace: join(namespaceFolder, namespace) });
    const host = this.address("IPv4");
    return new CallerSocket(await Socket.open(calls, host), socketAddress(host, port));
  }

  /** Sends the first text in the call that connects, then the second, and waits for both answers. IPv4 only. */
  async fastOpen(texts: readonly [string, string]): Promise<string> {
    await using caller = await this.callerSocket();
    const { socket, name } = caller;
    const [first, second] = texts;
    const to = [bytes(name), name.length] as const;
    await socket.calls.must("sendto", socket.fd, bytes(first), first.length, flag.fastOpen, ...to);
    await socket.send(second);
    return await caller.receive((received) => received.split("HTTP/1.1 ").length === 3);
  }

  async counted(): Promise<Counted> {
    const applier = this.world.applier();
    const edges = (await applier.edges()).filter(({ source }) => source === "default/caller");
    const sum = (values: readonly bigint[]): number =>
      Number(values.reduce((total, value) => total + value, 0n));
    return {
      requests: sum(edges.map(({ sentRequests }) => sentRequests)),
      bytes: sum(edges.map(({ sentRequestBytes }) => sentRequestBytes)),
      lost: Number((await applier.status()).statistics["lost_conversations"]),
    };
  }

  /** Sends that went past TCP, as both ends are on the node. */
  async shortcuts(): Promise<number> {
    return Number((await this.world.applier().status()).statistics["shortcuts"]);
  }

  /**
   * Replaces the agent by one of other layouts.
   * @param meanwhile once the programs of the one before take nothing past TCP any more; without them their sockets' map may be gone
   */
  async replaceAgent(meanwhile: () => Promise<void>): Promise<void> {
    const pins = await PinFolder.find(this.world.applier().node);
    const id = infoOf(pins.map("callers")).id;
    const takesNothing = (): boolean => {
      const pin = pins.map("request_programs");
      if (!existsSync(pin)) return !isMap(id);
      using programs = BpfMap.openPinned(pin);
      return programs.programId(new Uint8Array(4)) === undefined;
    };
    await this.world.applier().stop();
    const replaced = this.startLooking({ otherLayouts: true });
    await until(() => Promise.resolve(takesNothing()), {
      what: "the programs of the agent before to be gone",
    });
    await meanwhile();
    await replaced;
    await until(() => Promise.resolve(!isMap(id)), { what: "the maps of the agent before to be gone" });
  }

  /** How many sockets of callers programs look at. */
  async socketsLookedAt(): Promise<number> {
    const pins = await PinFolder.find(this.world.applier().node);
    using callers = BpfMap.openPinned(pins.map("callers"));
    const cookies: Uint8Array[] = [];
    for await (const cookie of callers.keys()) cookies.push(cookie);
    return cookies.length;
  }

  /** Resolves once requests were counted that are sent from now on. */
  private async underWay(): Promise<void> {
    const before = await this.counted();
    await until(async () => (await this.counted()).requests > before.requests + 20, {
      what: "requests under way",
    });
  }

  private get caller(): Pod {
    return this.world.pod("caller");
  }

  private startDigests(task: Omit<DigestTask, "port">): RunningProcess {
    const whole: DigestTask = { ...task, port };
    return this.caller.startPiped(process.execPath, program("digest-client.ts"), JSON.stringify(whole));
  }
}

function infoOf(pin: string): BpfMap["info"] {
  using map = BpfMap.openPinned(pin);
  return map.info;
}

function isMap(id: number): boolean {
  try {
    BpfMap.openById(id).close();
    return true;
  } catch {
    return false;
  }
}

const startServer = (pod: Pod): Promise<RunningProcess> =>
  pod.startServer(process.execPath, program("digest-server.ts"), String(targetPort));

const outputOf = ({ child: { stdout } }: RunningProcess): Promise<string> =>
  stdout === null ? Promise.resolve("") : text(stdout);

async function resultOf(client: RunningProcess): Promise<DigestResult> {
  const output = await outputOf(client);
  if (output === "") throw new Error(`${client.title} ended without a result:\n${await client.lastLines()}`);
  return JSON.parse(output) as DigestResult;
}
