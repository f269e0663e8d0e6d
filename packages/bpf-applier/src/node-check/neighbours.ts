import { dirname } from "node:path";
import {
  type AttachType,
  BpfProgram,
  type CgroupAttachMode,
  cgroupAttachments,
  programIds,
} from "bpf-maps-native";
import { hooks } from "../programs.ts";
import { codeOf } from "./errors.ts";

/** A program of someone else's. */
export interface ForeignProgram {
  readonly id: number;
  /** Undefined where the kernel does not tell it: that needs CAP_SYS_ADMIN. */
  readonly name: string | undefined;
}

/** What hangs on one hook of one cgroup. */
export interface Neighbours {
  readonly hook: AttachType;
  readonly cgroup: string;
  /** 0: the cgroup that callers are served at; 1: its parent, and so on. */
  readonly level: number;
  readonly mode: CgroupAttachMode;
  /** At this very cgroup, but attached after programs of ours. */
  readonly runsAfter: boolean;
  /** In the order they run. */
  readonly programs: readonly ForeignProgram[];
}

/** The name of a program; undefined if it may not be asked for, or is gone by now. */
function nameOf(id: number): string | undefined {
  try {
    using program = BpfProgram.openById(id);
    return program.info.name;
  } catch (cause) {
    if (["EPERM", "ENOENT"].includes(codeOf(cause) ?? "")) return undefined;
    throw cause;
  }
}

/**
 * Others' programs on the hooks of the connect tier, at a cgroup and above it up to the mount's root.
 * @param own ids of programs that are not others'
 * @throws BpfError without CAP_NET_ADMIN
 */
export function findNeighbours(cgroup: string, mount: string, own: ReadonlySet<number>): Neighbours[] {
  const found: Neighbours[] = [];
  for (let [path, level] = [cgroup, 0]; ; [path, level] = [dirname(path), level + 1]) {
    for (const [, hook] of hooks) {
      const { programIds: ids, mode } = cgroupAttachments(path, hook);
      if (mode === undefined) continue;
      const place = { hook, cgroup: path, level, mode };
      const ours = ids.findIndex((id) => own.has(id));
      const before = ours === -1 ? ids : ids.slice(0, ours);
      found.push({ ...place, runsAfter: false, programs: foreign(before, own) });
      found.push({ ...place, runsAfter: true, programs: foreign(ids.slice(before.length), own) });
    }
    if (path === mount || path === dirname(path)) return found.filter(({ programs }) => programs.length > 0);
  }
}

const foreign = (ids: readonly number[], own: ReadonlySet<number>): ForeignProgram[] =>
  ids.filter((id) => !own.has(id)).map((id) => ({ id, name: nameOf(id) }));

/** Names of all programs in the kernel, by type; undefined where the kernel does not tell: that needs CAP_SYS_ADMIN. */
export function loadedPrograms(): { name: string; type: string }[] | undefined {
  let ids: number[];
  try {
    ids = programIds();
  } catch (cause) {
    if (codeOf(cause) === "EPERM") return undefined;
    throw cause;
  }
  return ids.flatMap((id) => {
    try {
      using program = BpfProgram.openById(id);
      return [{ name: program.info.name, type: program.info.type }];
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return [];
      throw cause;
    }
  });
}
