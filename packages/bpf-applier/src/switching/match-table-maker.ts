import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type Bounds, defaultBounds } from "@keelson/compiler/automaton";
import { routesAutomaton, whyNotInKernel } from "@keelson/compiler/kernel-routes";
import { HttpMatchSchema } from "@keelson/protos/match";
import type { ServicePort } from "@keelson/protos/policy";
import { beingMade, type MatchTable, type TableState, tableOf, type Unfit } from "./match-table.ts";
import { TableThread } from "./table-thread.ts";

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
  /** Told that a table was made which took a while: those that wait for one are to ask again. */
  readonly onMade?: () => Promise<void>;
  readonly atOnce?: Bounds;
}

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
  private readonly onMade: () => Promise<void>;
  private readonly atOnce: Bounds;
  private thread: TableThread | undefined;

  constructor({ onMade = () => Promise.resolve(), atOnce = smallBounds }: MatchTableMakerOptions = {}) {
    this.onMade = onMade;
    this.atOnce = atOnce;
  }

  tableOf(port: ServicePort): TableState {
    const known = this.known(port);
    if (known !== undefined) return known;
    const made = this.large.has(port) ? undefined : this.madeAtOnce(port);
    if (made !== undefined) return this.keep(port, made);
    this.large.add(port);
    this.thread ??= this.begin(port);
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

  /** What is being made is given up. */
  async close(): Promise<void> {
    await this.thread?.close();
  }

  /** Undefined: it takes longer. */
  private madeAtOnce(port: ServicePort): Made | undefined {
    const routes = askedOf(port);
    const made = tableOf(routesAutomaton(routes, this.atOnce));
    const isTooLarge = "unfit" in made && whyNotInKernel(routes.map(({ matches }) => matches)) === undefined;
    return isTooLarge ? undefined : made;
  }

  private begin(port: ServicePort): TableThread {
    const thread = new TableThread(conditionsOf(port));
    void this.take(thread, port);
    return thread;
  }

  private async take(thread: TableThread, port: ServicePort): Promise<void> {
    const made = await thread.made;
    this.thread = undefined;
    this.keep(port, made);
    await this.onMade();
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
