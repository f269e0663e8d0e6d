import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import type { ConfigFolder } from "../world/config-folder.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { until } from "../world/until.ts";
import { type ConformanceCase, isChanging, type Stock } from "./case.ts";
import type { Differences } from "./differences.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { isEdsCluster } from "./peer/contents.ts";
import type { NodeInit, Received, Variant } from "./peer/messages.ts";
import { Peer } from "./peer/peer.ts";
import { types } from "./peer/types.ts";
import { type CasePlace, namespaceOf, runCase, sidecarOf } from "./run-case.ts";
import { NoSubject } from "./subjects/subject.ts";
import { CaseWorld } from "./world/case-world.ts";

/** A case in one of its variants. */
export interface Planned {
  readonly each: ConformanceCase;
  readonly variant: Variant;
}

export interface RunOptions {
  /** host:port of plain gRPC. */
  readonly address: string;
  readonly plan: readonly Planned[];
  readonly differences: Differences;
  readonly patienceMs: number;
  /** Where the server reads its configuration, with what prepare() wrote; undefined: it is not ours to change. */
  readonly config: ConfigFolder | undefined;
  /** Namespace of the node whose configuration does not change. */
  readonly namespace: string;
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** Cases at once. */
const atOnce = 4;
/** Of the configuration that no case changes. */
export const stillNamespace = "conformance";
const stillServices = 4;

/** @returns every file's content by its name: what there is before the first case begins. */
function beginnings(plan: readonly Planned[]): ReadonlyMap<string, readonly KubernetesObject[]> {
  const still = new CaseWorld(stillNamespace);
  const names = Array.from({ length: stillServices }, (_, i) => `s${i}`);
  const files = new Map<string, readonly KubernetesObject[]>();
  for (const { each, variant } of plan) {
    if (!isChanging(each)) continue;
    const world = new CaseWorld(namespaceOf(each, variant));
    files.set(world.namespace, each.begin(world));
  }
  // The last one, which is waited for.
  files.set(
    stillNamespace,
    names.map((name, i) => still.service(name, [`10.2.${i}.1`])),
  );
  return files;
}

/** Writes what there must be before the first case begins. @throws Error if a file of that name is there already */
export async function prepare(config: ConfigFolder, plan: readonly Planned[]): Promise<void> {
  const files = beginnings(plan);
  const there = new Set(await readdir(config.path));
  for (const name of files.keys()) {
    const file = config.file(name);
    if (there.has(basename(file)))
      throw new Error(`${file} is there already; remove it, or end the other run`);
  }
  for (const [name, objects] of files) await config.write(name, objects);
}

/** Removes what prepare() and the cases wrote, before anything else can happen. */
export function cleanUp(config: ConfigFolder, plan: readonly Planned[]): void {
  for (const name of beginnings(plan).keys()) config.removeNow(name);
}

/** Runs cases against a server. @throws NoSubject if it serves nothing */
export async function run(options: RunOptions): Promise<Outcome[]> {
  const { address, plan, differences, patienceMs, config, namespace, onOutcome } = options;
  const node = sidecarOf(namespace);
  const place: CasePlace = {
    address,
    patienceMs,
    still: { node, stock: await stockOf(options, node) },
    write: (name, objects) => {
      if (config === undefined) throw new Error(`there is no folder to write the objects of ${name} to`);
      return config.write(name, objects);
    },
  };
  const outcomes = new Map<Planned, Outcome>();
  const runOne = async (planned: Planned): Promise<void> => {
    const { each, variant } = planned;
    const outcome =
      isChanging(each) && config === undefined
        ? { ...skipped, name: each.name, variant }
        : outcomeOf(await runCase(each, variant, place), differences);
    outcomes.set(planned, outcome);
    onOutcome?.(outcome);
  };
  const together = plan.filter(({ each }) => each.alone !== true);
  const next = together.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const planned of next) await runOne(planned);
    }),
  );
  for (const planned of plan) if (planned.each.alone === true) await runOne(planned);
  return plan.flatMap((planned) => outcomes.get(planned) ?? []);
}

const skipped = {
  state: "skipped",
  reason: "it changes the configuration, and no folder of it was named",
  transcript: [],
  ms: 0,
} as const;

/** What the server has for a node. With a folder, all that was written there is waited for. */
async function stockOf(options: RunOptions, node: NodeInit): Promise<Stock> {
  const { address, patienceMs, config, plan } = options;
  const [variant = "sotw"] = plan.map((planned) => planned.variant);
  /** On a stream of its own: a server may be examined that goes on as it should not. */
  const all = async (typeUrl: string): Promise<readonly Received[]> => {
    using peer = new Peer({ address, variant, node, patienceMs });
    peer.ask(typeUrl);
    return (await peer.response()).resources;
  };
  const look = async (): Promise<Stock | undefined> => {
    const clusters = (await all(types.cds)).filter(isEdsCluster);
    const listeners = await all(types.lds);
    if (config !== undefined && clusters.length < stillServices) return undefined;
    return {
      clusters: clusters.map(({ name }) => name),
      listeners: listeners.map(({ name }) => name),
    };
  };
  const what = config === undefined ? "an answer" : "the configuration that was written to be served";
  try {
    return await until(look, { what, timeoutMs: 3 * patienceMs, everyMs: 100 });
  } catch (error) {
    throw new NoSubject(
      `${address} serves no node: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
