import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { yamlDocuments } from "../../world/config-folder.ts";
import { type KubernetesObject, routeRule } from "../../world/objects.ts";
import { controlPlaneStatus } from "../../world/settled.ts";
import type { World } from "../../world/world.ts";
import { type Tail, tailOf } from "../spread.ts";
import type { LiveTables } from "./live-tables.ts";
import { madeService, serviceObjects } from "./services.ts";

/** How long it takes to start with a configuration that is there. */
export interface BringUp {
  readonly services: number;
  readonly objects: number;
  /** From the start of the control plane's process until it says that it is ready. */
  readonly controlPlaneMilliseconds: number;
  /** From the start of the applier's process, with no policy saved, until the control plane has its ack of all. */
  readonly nodeMilliseconds: number;
}

/** What a change of one file changes: a rule's weights, or which pods a service has. */
export type Change = "rule" | "endpoints";

export interface UpdateTime {
  readonly services: number;
  readonly change: Change;
  readonly changes: number;
  /** From just before the file is renamed into its place until the node's programs read the new tables. */
  readonly liveMilliseconds: Tail;
  /** Until the control plane's status shows the node's ack; the request that asks for it is part of the time. */
  readonly ackedMilliseconds: Tail;
}

/** Between two changes, in ms at the most: neither timers nor reports shall fall in step with them. */
const longestPauseMs = 50;

/** Writes files of `services` services, one file each, and starts the control plane and a node with them. */
export async function bringUp(world: World, services: number): Promise<BringUp> {
  for (let index = 0; index < services; index++) {
    const made = madeService(index, world.names.node(2));
    await world.config.write(made.record.name, serviceObjects(made));
  }
  await world.config.write(ruleFile, rule(50));
  const start = performance.now();
  await world.startControlPlane();
  const ready = performance.now();
  await world.startApplier();
  await world.settled();
  const held = performance.now();
  const status = await controlPlaneStatus(world.controlPlane);
  assert.equal(status.services, services, "services that the control plane knows");
  return {
    services,
    objects: status.objects,
    controlPlaneMilliseconds: ready - start,
    nodeMilliseconds: held - ready,
  };
}

const ruleFile = "rule";
/** The service that is changed; the others only stand by. */
const changedService = 0;

/** A share of `weight` percent for v1, the rest for v2. */
function rule(weight: number): KubernetesObject[] {
  const { name } = madeService(changedService, "").record;
  const route = [
    { labels: { version: "v1" }, weight },
    { labels: { version: "v2" }, weight: 100 - weight },
  ];
  return [routeRule({ name, destination: name, route })];
}

/** The file of each kind of change, and the contents that it has in turns. */
function contentsOf(change: Change, node: string): { file: string; contents: readonly KubernetesObject[][] } {
  if (change === "rule") return { file: ruleFile, contents: [rule(80), rule(50)] };
  const made = madeService(changedService, node);
  return { file: made.record.name, contents: [serviceObjects(made, 1), serviceObjects(made)] };
}

/** Changes one file of a world that is up, `changes` times, each after the last one is held. */
export async function measureUpdates(
  world: World,
  tables: LiveTables,
  change: Change,
  changes: number,
): Promise<UpdateTime> {
  const { file, contents } = contentsOf(change, world.names.node(2));
  const texts = contents.map(yamlDocuments);
  const live: number[] = [];
  const acked: number[] = [];
  for (let i = 0; i < changes; i++) {
    const times = await timeOne(world, tables, file, texts[i % texts.length] ?? "");
    live.push(times.live);
    acked.push(times.acked);
    await delay(Math.random() * longestPauseMs);
  }
  const { services } = await controlPlaneStatus(world.controlPlane);
  return { services, change, changes, liveMilliseconds: tailOf(live), ackedMilliseconds: tailOf(acked) };
}

async function timeOne(
  world: World,
  tables: LiveTables,
  file: string,
  text: string,
): Promise<{ live: number; acked: number }> {
  const { version } = await controlPlaneStatus(world.controlPlane);
  const before = tables.flip;
  const beside = join(world.config.path, `.${file}.new`);
  await writeFile(beside, text);
  const start = performance.now();
  renameSync(beside, world.config.file(file));
  const live = tables.waitForFlip(before);
  const flip = tables.flip;
  await world.settled({ otherThan: version, everyMs: 1 });
  const acked = performance.now();
  assert.equal(tables.flip, flip, `a change of ${file} became live in more than one step`);
  return { live: live - start, acked: acked - start };
}
