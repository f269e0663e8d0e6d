import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RelayMesh, RelayPlace } from "@keelson/xds/envoy/relay";
import { listenInNamespace } from "bpf-maps-native";
import { Serial } from "../../serial.ts";
import { edgeOf, messageOf } from "../edge-message.ts";
import { CounterBook } from "../process/counter-book.ts";
import { RequestTap } from "../process/request-tap.ts";
import type {
  Relay,
  RelayEdge,
  RelayNetwork,
  RelayObservation,
  RelayPolicy,
  RelayPorts,
  RelayStatus,
} from "../relay.ts";
import { emptyRelayPolicy } from "../relay-policy.ts";
import { type DialledPins, DialledProgram } from "./dialled-program.ts";
import { EnvoyProcess } from "./envoy-process.ts";
import { RelayXds } from "./relay-xds.ts";
import { RequestLog } from "./request-log.ts";

export interface EnvoyRelayOptions {
  /** Path of Envoy, 1.37 or newer. */
  readonly program: string;
  /** A folder for its sockets, which is made, and removed when the relay is closed. */
  readonly folder: string;
  readonly pins: DialledPins;
  /** It ended without being asked to; nothing can be asked of this object any more. */
  readonly onExit: (reason: string) => void;
  /** Milliseconds that callers are given to go when the relay is closed; 2,000 if left out. */
  readonly graceMs?: number;
}

interface Parts {
  readonly xds: RelayXds;
  readonly dialled: DialledProgram;
  readonly envoy: EnvoyProcess;
}

const defaultGraceMs = 2_000;
/** Between two looks whether callers have gone. */
const goneLookMs = 20;
/** Between two words on single requests. */
const observeEveryMs = 100;

/** An Envoy of the node's as its relay, configured by xDS of the agent's own. */
export class EnvoyRelay implements Relay {
  private readonly options: EnvoyRelayOptions;
  private readonly xds: RelayXds;
  private readonly dialled: DialledProgram;
  private readonly envoy: EnvoyProcess;
  private readonly book = new CounterBook();
  private readonly tap = new RequestTap(Math.random);
  private readonly log: RequestLog;
  private readonly serial = new Serial();
  private policy = emptyRelayPolicy;
  private places: ReadonlyMap<bigint, RelayPlace> = new Map();
  private open = 0;
  private isClosing = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(options: EnvoyRelayOptions, { xds, dialled, envoy }: Parts) {
    this.options = options;
    this.xds = xds;
    this.dialled = dialled;
    this.envoy = envoy;
    this.log = new RequestLog(envoy.log, this.book, this.tap);
  }

  /** Resolves when Envoy runs, without policy and networks. @throws Error if it does not, or the kernel refuses its program */
  static async start(options: EnvoyRelayOptions): Promise<EnvoyRelay> {
    const { folder, pins, program, onExit } = options;
    // An earlier one's ended with its agent.
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const sockets = { xds: join(folder, "xds.sock"), admin: join(folder, "admin.sock") };
    const dialled = await DialledProgram.attach(pins);
    const xds = new RelayXds();
    let isStarted = false;
    let relay: EnvoyRelay | undefined;
    try {
      await xds.listen(sockets.xds);
      xds.set(meshOf(emptyRelayPolicy, new Map()));
      const envoy = new EnvoyProcess(program, sockets, (why) => {
        relay?.release();
        if (isStarted && relay?.isClosing !== true) onExit(why);
      });
      relay = new EnvoyRelay(options, { xds, dialled, envoy });
      await envoy.live();
      isStarted = true;
      return relay;
    } catch (error) {
      xds.close();
      dialled.close();
      throw error;
    }
  }

  setPolicy(policy: RelayPolicy): Promise<void> {
    return this.change(policy, this.places);
  }

  async addNetwork({ cookie, path }: RelayNetwork): Promise<RelayPorts> {
    const port4 = await freePort(path, "127.0.0.1");
    const port6 = await freePort(path, "::1").catch(() => 0);
    const places = new Map(this.places).set(cookie, { cookie, path, port4, port6 });
    await this.change(this.policy, places);
    return { port4, port6 };
  }

  async removeNetwork(cookie: bigint): Promise<void> {
    const places = new Map(this.places);
    places.delete(cookie);
    await this.change(this.policy, places);
  }

  async counters(): Promise<readonly RelayEdge[]> {
    this.open = await this.envoy.connections();
    return this.book.all().map((counted) => edgeOf(messageOf(counted)));
  }

  observe(wanted: RelayObservation | undefined): Promise<void> {
    clearInterval(this.timer);
    this.tap.open(wanted?.every ?? 0);
    if (wanted !== undefined) {
      const tell = (): void => {
        const seen = this.tap.take();
        if (seen.requests.length > 0 || seen.lost > 0) wanted.onRequests(seen);
      };
      this.timer = setInterval(tell, observeEveryMs).unref();
    }
    return Promise.resolve();
  }

  status(): RelayStatus {
    const { pid } = this.envoy;
    const isThere = pid !== undefined;
    return {
      ...(isThere ? { pid } : {}),
      networks: isThere ? this.places.size : 0,
      connections: isThere ? this.open : 0,
      requests: BigInt(this.log.requests),
    };
  }

  async close(): Promise<void> {
    this.isClosing = true;
    if (this.envoy.pid !== undefined) {
      await this.letCallersGo().catch(() => undefined);
      await this.envoy.stop();
    }
    this.release();
    await rm(this.options.folder, { recursive: true, force: true });
  }

  /** Envoy takes all of it, or is told what it had again. */
  private change(policy: RelayPolicy, places: ReadonlyMap<bigint, RelayPlace>): Promise<void> {
    return this.serial.run(async () => {
      this.xds.set(meshOf(policy, places));
      try {
        await this.xds.taken();
        await this.envoy.settled();
      } catch (error) {
        this.xds.set(meshOf(this.policy, this.places));
        throw error;
      }
      this.policy = policy;
      this.places = places;
    });
  }

  /** Nobody is accepted any more; callers are told with their next answer. */
  private async letCallersGo(): Promise<void> {
    const { graceMs = defaultGraceMs } = this.options;
    const end = performance.now() + graceMs;
    this.xds.set(meshOf(this.policy, new Map()));
    while (performance.now() < end && (await this.envoy.connections()) > 0) await sleep(goneLookMs);
  }

  private release(): void {
    clearInterval(this.timer);
    this.xds.close();
    this.dialled.close();
  }
}

const meshOf = (policy: RelayPolicy, places: ReadonlyMap<bigint, RelayPlace>): RelayMesh => ({
  ...policy,
  places: [...places.values()],
});

/** Envoy wants to be told a port: one that was free a moment ago. */
async function freePort(path: string, address: string): Promise<number> {
  const server = createServer();
  server.listen({ fd: await listenInNamespace(path, { address, port: 0 }) });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
