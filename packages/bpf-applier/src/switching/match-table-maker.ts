import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type Bounds, defaultBounds } from "@keelson/compiler/automaton";
import { routesAutomaton, whyNotInKernel } from "@keelson/compiler/kernel-routes";
import { HttpMatchSchema } from "@keelson/protos/match";
import type { ServicePort } from "@keelson/protos/policy";
import { beingMade, type MatchTable, type TableState, tableOf, type Unfit } from "./match-table.ts";
import { mostThreadMebibytes, TableThread } from "./table-thread.ts";

/** What is made at once: it takes some tens of milliseconds at most. */
const smallBounds: Bounds = {
  ...defaultBounds,
  positions: 20_000,
  states: 10_000,
  contexts: 10_000,
  work: 200_000,
};

type Made = MatchTable | Unfit;

export interface MatchTableMakerOptions {
  /** Those that wait for a table are to ask again: one was made which took a while, or the next one can be. */
  readonly onMade?: () => Promise<void>;
  /** Told that one could not be made. It is tried again after a pause; until then the port waits. */
  readonly onError?: (error: unknown) => void;
  readonly pauseMs?: number;
  readonly atOnce?: Bounds;
  /** Of a thread's heap. */
  readonly mostMebibytes?: number;
}

const defaultPauseMs = 30_000;

/**
 * Makes the tables of ports, once for the same conditions as long as somebody holds the table. One that takes long is made beside,
 * one at a time: who waits asks again when one is there, so that of conditions which change meanwhile only the last are looked at.
 */
export class MatchTableMaker {
  private readonly ofPorts = new WeakMap<ServicePort, Made>();
  private readonly ofConditions = new Map<string, WeakRef<Made>>();
  private readonly keys = new WeakMap<ServicePort, string>();
  private readonly large = new WeakSet<ServicePort>();
  private readonly cleaner = new FinalizationRegistry<string>((conditions) => {
    if (this.ofConditions.get(conditions)?.deref() === undefined) this.ofConditions.delete(conditions);
  });
  private readonly options: Required<MatchTableMakerOptions>;
  /** By `keyOf`: those of which the last try failed, until the next one may begin. */
  private readonly paused = new Map<string, NodeJS.Timeout>();
  private thread: TableThread | undefined;
  private closed = false;

  constructor(options: MatchTableMakerOptions = {}) {
    this.options = {
      onMade: () => Promise.resolve(),
      onError: () => undefined,
      pauseMs: defaultPauseMs,
      atOnce: smallBounds,
      mostMebibytes: mostThreadMebibytes,
      ...options,
    };
  }

  tableOf(port: ServicePort): TableState {
    const known = this.known(port);
    if (known !== undefined) return known;
    const made = this.large.has(port) ? undefined : this.madeAtOnce(port);
    if (made !== undefined) return this.keep(port, made);
    this.large.add(port);
    if (!this.closed && !this.paused.has(this.keyOf(port))) this.thread ??= this.begin(port);
    return beingMade;
  }

  /** The table if it need not be made. */
  known(port: ServicePort): Made | undefined {
    const known = this.ofPorts.get(port);
    if (known !== undefined) return known;
    const same = this.ofConditions.get(this.keyOf(port))?.deref();
    if (same !== undefined) this.ofPorts.set(port, same);
    return same;
  }

  /** What is being made is given up, and no more is begun. */
  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.paused.values()) clearTimeout(timer);
    await this.thread?.close();
  }

  /** Undefined: it takes longer. */
  private madeAtOnce(port: ServicePort): Made | undefined {
    const routes = askedOf(port);
    const made = tableOf(routesAutomaton(routes, this.options.atOnce));
    const isTooLarge = "unfit" in made && whyNotInKernel(routes.map(({ matches }) => matches)) === undefined;
    return isTooLarge ? undefined : made;
  }

  private begin(port: ServicePort): TableThread {
    const thread = new TableThread(conditionsOf(port), this.options.mostMebibytes);
    void this.take(thread, port);
    return thread;
  }

  private async take(thread: TableThread, port: ServicePort): Promise<void> {
    try {
      this.keep(port, await thread.made);
    } catch (error) {
      this.options.onError(error);
      this.pause(this.keyOf(port));
    }
    this.thread = undefined;
    await this.options.onMade();
  }

  private pause(key: string): void {
    const timer = setTimeout(() => {
      this.paused.delete(key);
      void this.options.onMade();
    }, this.options.pauseMs);
    this.paused.set(key, timer.unref());
  }

  private keep(port: ServicePort, made: Made): Made {
    const key = this.keyOf(port);
    this.ofPorts.set(port, made);
    this.ofConditions.set(key, new WeakRef(made));
    this.cleaner.register(made, key);
    return made;
  }

  /** Equal for equal conditions. */
  private keyOf(port: ServicePort): string {
    const key = this.keys.get(port) ?? hashOf(conditionsOf(port));
    this.keys.set(port, key);
    return key;
  }
}

const askedOf = ({ routes }: ServicePort) => routes.map(({ route }) => ({ matches: route?.matches ?? [] }));

/** Of each route its matches, encoded. */
const conditionsOf = (port: ServicePort): Uint8Array[][] =>
  askedOf(port).map(({ matches }) => matches.map((match) => toBinary(HttpMatchSchema, match)));

function hashOf(conditions: readonly (readonly Uint8Array[])[]): string {
  const hash = createHash("sha256");
  for (const matches of conditions) {
    hash.update(`${matches.length};`);
    for (const bytes of matches) hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("base64");
}
