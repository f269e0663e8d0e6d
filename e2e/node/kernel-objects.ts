import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PinFolder } from "@keelson/bpf-applier";
import { BpfLink, BpfMap, BpfProgram, linkIds, mapIds, programIds } from "bpf-maps-native";
import { until } from "../world/until.ts";

const kinds = ["program", "map", "link"] as const;
type Kind = (typeof kinds)[number];

/** Ids by kind. */
export type KernelObjects = Readonly<Record<Kind, Set<number>>>;

const nothing = (): KernelObjects => ({ program: new Set(), map: new Set(), link: new Set() });

/** As `bpftool prog`, `map` and `link` list them. */
export const allKernelObjects = (): KernelObjects => ({
  program: new Set(programIds()),
  map: new Set(mapIds()),
  link: new Set(linkIds()),
});

/** What is pinned of a node: its links, the programs behind them, and its maps. */
export async function pinnedObjects(pins: PinFolder): Promise<KernelObjects> {
  const found = nothing();
  await addPinned(found, pins.path);
  return found;
}

async function addPinned(found: KernelObjects, nodeFolder: string): Promise<void> {
  const entries = await readdir(nodeFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.parentPath.endsWith("/links")) {
      using map = BpfMap.openPinned(path);
      found.map.add(map.info.id);
      continue;
    }
    using link = BpfLink.openPinned(path);
    found.link.add(link.info.id);
    found.program.add(link.info.programId);
  }
}

/** In what the kernel says of a descriptor (proc(5), /proc/pid/fdinfo): the line that names each kind's id. */
const idLines: Readonly<Record<Kind, RegExp>> = {
  program: /^prog_id:\s*(\d+)$/m,
  map: /^map_id:\s*(\d+)$/m,
  link: /^link_id:\s*(\d+)$/m,
};

/** What other nodes have pinned, and other processes than this one hold open. */
async function othersObjects(pins: PinFolder): Promise<KernelObjects> {
  const found = nothing();
  const nodes = dirname(pins.path);
  for (const node of await readdir(nodes).catch(() => []))
    if (join(nodes, node) !== pins.path) await addPinned(found, join(nodes, node)).catch(goneMeanwhile);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    if (Number(pid) !== process.pid) addHeld(found, pid);
  return found;
}

function addHeld(found: KernelObjects, pid: string): void {
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      if (!readlinkSync(`/proc/${pid}/fd/${fd}`).includes("bpf")) continue;
      const told = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
      for (const kind of kinds) {
        const [, id] = idLines[kind].exec(told) ?? [];
        if (id !== undefined) found[kind].add(Number(id));
      }
    }
  } catch (error) {
    goneMeanwhile(error as NodeJS.ErrnoException);
  }
}

/** Of a process or a node that has ended; whoever looks again finds it right. Some processes not even root may look into. */
function goneMeanwhile(error: NodeJS.ErrnoException): void {
  if (!["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code ?? "")) throw error;
}

function nameOf(kind: Kind, id: number): string {
  try {
    if (kind === "map") {
      using map = BpfMap.openById(id);
      return `map ${id} (${map.info.name})`;
    }
    if (kind === "program") {
      using program = BpfProgram.openById(id);
      return `program ${id} (${program.info.name})`;
    }
  } catch {
    // It has just gone.
  }
  return `${kind} ${id}`;
}

/** Resolves when none of these is there any more: the kernel frees them in its own time. */
export async function untilGone(objects: KernelObjects): Promise<void> {
  await until(
    () => {
      const all = allKernelObjects();
      const left = kinds.flatMap((kind) =>
        [...objects[kind]].filter((id) => all[kind].has(id)).map((id) => nameOf(kind, id)),
      );
      if (left.length > 0) throw new Error(`left: ${left.join(", ")}`);
      return true;
    },
    { what: "the kernel to let go of a node's programs, maps and links" },
  );
}

/**
 * Resolves when all that is there was there before, or is others': what nobody but a node can have left, pinned or not,
 * under whatever name.
 * @param pins of the node
 */
export async function untilNothingNew(before: KernelObjects, pins: PinFolder): Promise<void> {
  await until(
    async () => {
      // In this order: what others make after the list is not in it.
      const all = allKernelObjects();
      const others = await othersObjects(pins);
      const left = kinds.flatMap((kind) =>
        [...all[kind]]
          .filter((id) => !before[kind].has(id) && !others[kind].has(id))
          .map((id) => nameOf(kind, id)),
      );
      if (left.length > 0) throw new Error(`new, and nobody else's: ${left.join(", ")}`);
      return true;
    },
    { what: "a node to leave nothing in the kernel" },
  );
}

/** Resolves when the lists are as they were: only where nobody else makes such objects meanwhile. */
export async function untilAsBefore(before: KernelObjects): Promise<void> {
  await until(
    () => {
      const now = allKernelObjects();
      for (const kind of kinds) assert.deepEqual(now[kind], before[kind], kind);
      return true;
    },
    { what: "programs, maps and links to be as before" },
  );
}
