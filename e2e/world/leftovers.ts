import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { mountOf } from "@keelson/bpf-applier/mount-table";
import { bpffsFolder } from "@keelson/model/names";
import { uninstallNode } from "./applier.ts";
import { killProcesses, removeCgroup } from "./cgroups.ts";
import { WorldLock } from "./lock.ts";
import { dropOwnCgroup2 } from "./mounts.ts";
import { namespaceEtcFolder, WorldNames, worldsFolder } from "./names.ts";
import { dropNamespaceRoot } from "./namespace-root.ts";
import { removeNetwork } from "./network.ts";

/**
 * Removes all that a world made. It is found by its name, so nothing need have been recorded. To be called with the
 * world's lock held.
 * @throws AggregateError if some of it could not be removed; the rest is.
 */
export async function removeWorld(names: WorldNames): Promise<void> {
  const cgroup2 = await mountOf("cgroup2");
  const cgroup = cgroup2 === undefined ? undefined : join(cgroup2, names.prefix);
  const steps = [
    // Processes first, so that nothing comes back behind us.
    async () => cgroup && killProcesses(cgroup),
    () => removePins(names),
    async () => cgroup && removeCgroup(cgroup),
    () => removeNetwork(names),
    () => rm(names.folder, { recursive: true, force: true }),
    removeSharedFolders,
  ];
  const errors: Error[] = [];
  for (const step of steps) await step().catch((error: Error) => errors.push(error));
  if (errors.length === 0) return;
  const reasons = errors.map(({ message }) => message).join("; ");
  throw new AggregateError(errors, `some of the world "${names.world}" could not be removed: ${reasons}`);
}

/** Nodes are pinned in folders that bear their names (packages/bpf-applier, PinFolder). */
async function removePins(names: WorldNames): Promise<void> {
  const bpffs = await mountOf("bpf");
  if (bpffs === undefined) return;
  const nodes = await readdir(join(bpffs, bpffsFolder)).catch(() => []);
  for (const node of nodes.filter((name) => names.owns(name))) await uninstallNode(node);
}

/** The last world takes along what worlds share. */
async function removeSharedFolders(): Promise<void> {
  if ((await worldsOnDisk()).length > 0) return;
  await dropOwnCgroup2();
  await dropNamespaceRoot();
  // Only if they are empty: a world may have opened meanwhile, and others keep files in iproute2's folder, too.
  for (const folder of [worldsFolder, namespaceEtcFolder]) await rmdir(folder).catch(() => undefined);
}

async function worldsOnDisk(): Promise<string[]> {
  return (await readdir(worldsFolder).catch(() => [])).filter((name) => !name.startsWith("."));
}

/**
 * Removes the worlds whose owner is gone without having done so.
 * @returns their names.
 */
export async function removeDeadWorlds(): Promise<string[]> {
  const removed: string[] = [];
  for (const world of await worldsOnDisk()) {
    const names = new WorldNames(world);
    const lock = await WorldLock.tryTake(names, "remover");
    if (lock === undefined) continue;
    try {
      await removeWorld(names);
      removed.push(world);
    } finally {
      await lock.release();
    }
  }
  return removed;
}
