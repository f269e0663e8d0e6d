import { fromBinary } from "@bufbuild/protobuf";
import { EndpointSetSchema, ServicePortSchema, WorkloadSchema } from "@keelson/protos/policy";
import { messageOf } from "../edge-message.ts";
import type { CallName, Calls, PolicyMessage, Question, RelayMessage } from "../messages.ts";
import type { RelayCore } from "./relay-core.ts";

type Answers = {
  readonly [Name in CallName]: (question: Calls[Name]["question"]) => Promise<Calls[Name]["answer"]>;
};

const requestsEveryMs = 100;
const statusEveryMs = 1_000;

/** @param sent called when the message has left, or cannot */
export type SendToAgent = (message: RelayMessage, sent?: () => void) => void;

/** Answers what the agent asks. @param send to the agent */
export class AgentLine {
  private readonly answers: Answers;
  private readonly core: RelayCore;
  private readonly send: SendToAgent;
  private told = "";
  private wanted = 0;
  /** The agent has not read yet what it was told last of requests. */
  private isBehind = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly statusTimer: NodeJS.Timeout;

  constructor(core: RelayCore, send: SendToAgent) {
    this.core = core;
    this.send = send;
    this.statusTimer = setInterval(() => this.tellStatus(), statusEveryMs).unref();
    this.answers = {
      ...answersOf(core),
      observe: async (every) => {
        this.observe(every);
        core.tap.open(every);
        return undefined;
      },
    };
  }

  /** Of how many requests its agent wants to see one; 0: of none. */
  get every(): number {
    return this.wanted;
  }

  /** Resolves when the answer has left. */
  async take(question: Question): Promise<void> {
    const message = await this.answerTo(question);
    return new Promise((resolve) => this.send(message, resolve));
  }

  /** The agent is gone. */
  close(): void {
    clearInterval(this.statusTimer);
    this.observe(0);
  }

  private async answerTo({ id, call, question }: Question): Promise<RelayMessage> {
    try {
      return { kind: "answer", id, answer: await this.answers[call](question as never) };
    } catch (error) {
      return { kind: "error", id, message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Says what there is at the moment, if it is not what was said last. */
  private tellStatus(): void {
    const status = this.core.status();
    const text = JSON.stringify(status);
    if (text === this.told) return;
    this.told = text;
    this.send({ kind: "status", status });
  }

  private observe(every: number): void {
    clearInterval(this.timer);
    this.wanted = every;
    if (every > 0) this.timer = setInterval(() => this.tellRequests(), requestsEveryMs).unref();
  }

  /** Says which requests were seen, unless the agent is behind: then they wait in the tap, which is bounded. */
  private tellRequests(): void {
    if (this.isBehind) return;
    const seen = this.core.tap.take();
    if (seen.requests.length === 0 && seen.lost === 0) return;
    this.isBehind = true;
    this.send({ kind: "requests", seen }, () => {
      this.isBehind = false;
    });
  }
}

function answersOf(core: RelayCore): Omit<Answers, "observe"> {
  return {
    setPolicy: async (message) => {
      core.applyPolicy(differenceOf(message), message.isWhole);
      return undefined;
    },
    takePolicyBack: async () => {
      core.takePolicyBack();
      return undefined;
    },
    addNetwork: (network) => core.addNetwork(network),
    removeNetwork: async (cookie) => {
      core.removeNetwork(cookie);
      return undefined;
    },
    counters: async () => core.counters.all().map(messageOf),
    close: async (graceMs) => {
      await core.close(graceMs);
      return undefined;
    },
    handOver: async (graceMs) => {
      await core.handOver(graceMs);
      return undefined;
    },
  };
}

function differenceOf({
  services,
  endpointSets,
  workloads,
}: PolicyMessage): Parameters<RelayCore["applyPolicy"]>[0] {
  return {
    services: mapValues(services, ({ port, ...service }) => ({
      ...service,
      port: fromBinary(ServicePortSchema, port),
    })),
    endpointSets: mapValues(endpointSets, (bytes) => fromBinary(EndpointSetSchema, bytes)),
    workloads: mapValues(workloads, (bytes) => fromBinary(WorkloadSchema, bytes)),
  };
}

function mapValues<K, From, To>(
  map: ReadonlyMap<K, From | undefined>,
  make: (value: From) => To,
): Map<K, To | undefined> {
  return new Map([...map].map(([key, value]) => [key, value === undefined ? undefined : make(value)]));
}
