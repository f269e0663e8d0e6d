import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { EndpointSetSchema, ServicePortSchema, WorkloadSchema } from "@keelson/protos/policy";
import { edgeOf } from "./edge-message.ts";
import type { CallName, Calls, Question, RelayMessage, StatusMessage } from "./messages.ts";
import { OwnTime } from "./own-time.ts";
import { PinnedKernel } from "./process/switching/pinned-kernel.ts";
import type {
  Relay,
  RelayEdge,
  RelayNetwork,
  RelayObservation,
  RelayPolicy,
  RelayPorts,
  RelayStatus,
} from "./relay.ts";
import { relayIdentity } from "./relay-identity.ts";
import { RelayProcess } from "./relay-process.ts";

export interface BuiltinRelayOptions {
  /** Pin of the map `origins`. */
  readonly origins: string;
  /** Socket of what keeps its listeners and connections if it dies; left out: nothing does. */
  readonly holder?: string;
  /**
   * Socket by which an agent that comes later speaks to it, so that it outlives the agent for a while; left out: it ends with
   * the agent.
   */
  readonly line?: string;
  /** Folder of the pins by which programs take requests off the way to the relay; undefined: they do not. */
  readonly switching?: string;
  /** The process ended without being asked to; nothing can be asked of this object any more. */
  readonly onExit: (reason: string) => void;
  /** Milliseconds that callers are given to go when the relay is closed; 2,000 if left out. */
  readonly graceMs?: number;
}

type Ending = "close" | "handOver";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

const defaultGraceMs = 2_000;
/** On top of that, before it is killed. */
const killAfterMs = 1_000;
/** Milliseconds that requests under way are given to end in a relay that another one follows. */
const handOverMs = 2_000;
const nothing: RelayPolicy = { services: new Map(), endpointSets: new Map(), workloads: new Map() };

/** The relay that comes with the agent: a process of its own, so that requests never wait for the agent, nor it for them. */
export class BuiltinRelay implements Relay {
  readonly inherited: ReadonlySet<bigint>;
  readonly loaded: Promise<void>;
  private readonly process: RelayProcess;
  private readonly options: BuiltinRelayOptions;
  private readonly waiting = new Map<number, Waiting>();
  private last: StatusMessage = { networks: 0, connections: 0, requests: 0, refused: {} };
  /** As the process knows it; undefined: it has what an earlier agent has told it. */
  private policy: RelayPolicy | undefined;
  private onRequests: RelayObservation["onRequests"] | undefined;
  private nextId = 1;
  /** It was asked something. */
  private hasBegun: boolean;
  private ended: string | undefined;
  private closing = false;

  /** @param inherited undefined: it was started just now */
  private constructor(options: BuiltinRelayOptions, process: RelayProcess, inherited?: readonly bigint[]) {
    this.options = options;
    this.process = process;
    this.hasBegun = inherited !== undefined;
    this.inherited = new Set(inherited);
    this.loaded = process.loaded;
    process.onMessage = (message) => this.onMessage(message);
    void process.ended.then((why) => this.onEnd(why));
  }

  /**
   * The one that an earlier agent has left, if it is as this agent's would be; else a new one, which has what that one had. No
   * two of them are there at a time.
   */
  static async start(options: BuiltinRelayOptions): Promise<BuiltinRelay> {
    const flags = flagsOf(options);
    const { line } = options;
    if (line === undefined) return new BuiltinRelay(options, RelayProcess.start(flags));
    const identity = relayIdentity(flags, mapsOf(options));
    const earlier = await RelayProcess.find(line);
    if (earlier?.hello.identity === identity)
      return new BuiltinRelay(options, earlier.process, earlier.hello.networks);
    if (earlier !== undefined) await endOf(earlier.process, "handOver", handOverMs);
    return new BuiltinRelay(options, RelayProcess.start([...flags, "--line", line, "--identity", identity]));
  }

  /** Ends the one that an earlier agent has left, in order. @param line as in {@link BuiltinRelayOptions} */
  static async endEarlier(line: string): Promise<void> {
    const earlier = await RelayProcess.find(line);
    if (earlier !== undefined) await endOf(earlier.process, "close", defaultGraceMs);
  }

  /** Not to be called again before it has resolved. */
  async setPolicy(policy: RelayPolicy): Promise<void> {
    const before = this.policy ?? nothing;
    const isWhole = this.policy === undefined;
    const services = difference(before.services, policy.services, ({ hostname, port, switchedRules }) => ({
      hostname,
      port: toBinary(ServicePortSchema, port),
      switchedRules,
    }));
    const endpointSets = difference(before.endpointSets, policy.endpointSets, encoder(EndpointSetSchema));
    const workloads = difference(before.workloads, policy.workloads, encoder(WorkloadSchema));
    this.policy = policy;
    try {
      await this.ask("setPolicy", { isWhole, services, endpointSets, workloads });
    } catch (error) {
      this.policy = isWhole ? undefined : before; // the process takes all of it or nothing
      throw error;
    }
  }

  async takePolicyBack(): Promise<void> {
    await this.ask("takePolicyBack", undefined);
    this.policy = undefined;
  }

  addNetwork({ cookie, path }: RelayNetwork): Promise<RelayPorts> {
    return this.ask("addNetwork", { cookie, path });
  }

  async removeNetwork(cookie: bigint): Promise<void> {
    await this.ask("removeNetwork", cookie);
  }

  async counters(): Promise<readonly RelayEdge[]> {
    return (await this.ask("counters", undefined)).map(edgeOf);
  }

  async observe(wanted: RelayObservation | undefined): Promise<void> {
    this.onRequests = wanted?.onRequests;
    await this.ask("observe", wanted?.every ?? 0);
  }

  status(): RelayStatus {
    const { networks, connections, requests, refused } = this.last;
    const { pid } = this.process;
    return {
      ...(this.ended === undefined && pid !== undefined ? { pid } : {}),
      networks,
      connections,
      requests: BigInt(requests),
      refused,
    };
  }

  close(): Promise<void> {
    return this.end("close", this.options.graceMs ?? defaultGraceMs);
  }

  async giveWay(): Promise<void> {
    if (this.hasBegun) return this.end("handOver", handOverMs);
    this.closing = true;
    this.process.kill();
    await this.process.ended;
  }

  leave(): void {
    this.closing = true;
    this.process.letGo();
  }

  private async end(call: Ending, graceMs: number): Promise<void> {
    this.closing = true;
    if (this.ended !== undefined) return;
    const time = timeToEnd(this.process, graceMs);
    await this.ask(call, graceMs).catch(() => undefined);
    this.process.letGo();
    await this.process.ended;
    time.stop();
  }

  private ask<Name extends CallName>(
    call: Name,
    question: Calls[Name]["question"],
  ): Promise<Calls[Name]["answer"]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined)
        return reject(new Error(`relay: ${call}: its process has ended: ${this.ended}`));
      this.hasBegun = true;
      const asked: Question<Name> = { id: this.nextId++, call, question };
      this.waiting.set(asked.id, { resolve, reject });
      this.process.send(asked, (error) => {
        if (error) this.take(asked.id)?.reject(new Error(`relay: ${call}: ${error.message}`));
      });
    });
  }

  private onMessage(message: RelayMessage): void {
    if (message.kind === "status") this.last = message.status;
    else if (message.kind === "requests") this.onRequests?.(message.seen);
    else if (message.kind === "answer") this.take(message.id)?.resolve(message.answer as never);
    else if (message.kind === "error") this.take(message.id)?.reject(new Error(`relay: ${message.message}`));
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private onEnd(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.last = { networks: 0, connections: 0, requests: 0, refused: {} };
    for (const { reject } of this.waiting.values()) reject(new Error(`relay: its process ended: ${reason}`));
    this.waiting.clear();
    if (!this.closing) this.options.onExit(reason);
  }
}

const flagsOf = ({ origins, holder, switching }: BuiltinRelayOptions): string[] => [
  "--origins",
  origins,
  ...(holder === undefined ? [] : ["--holder", holder]),
  ...(switching === undefined ? [] : ["--switching", switching]),
];

const mapsOf = ({ origins, switching }: BuiltinRelayOptions): string[] => [
  origins,
  ...(switching === undefined ? [] : PinnedKernel.maps(switching)),
];

/** Whatever it answers, or does not: it is gone then. */
async function endOf(process: RelayProcess, call: Ending, graceMs: number): Promise<void> {
  const time = timeToEnd(process, graceMs);
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  process.onMessage = ({ kind }) => {
    if (kind === "answer" || kind === "error") resolve();
  };
  process.send({ id: 1, call, question: graceMs } satisfies Question, () => undefined);
  await Promise.race([answered, process.ended]);
  process.letGo();
  await process.ended;
  time.stop();
}

/** One that takes longer is killed. */
function timeToEnd(process: RelayProcess, graceMs: number): OwnTime {
  return new OwnTime(
    graceMs + killAfterMs,
    () => process.pids(),
    () => process.kill(),
  );
}

/** What was said before is the same object where it says the same. */
function difference<K, V, M>(
  before: ReadonlyMap<K, V>,
  after: ReadonlyMap<K, V>,
  encode: (value: V) => M,
): Map<K, M | undefined> {
  const changes = new Map<K, M | undefined>();
  for (const key of before.keys()) if (!after.has(key)) changes.set(key, undefined);
  for (const [key, value] of after) if (before.get(key) !== value) changes.set(key, encode(value));
  return changes;
}

const encoder =
  <Desc extends DescMessage>(schema: Desc) =>
  (message: MessageShape<Desc>): Uint8Array =>
    toBinary(schema, message);
