import { type CgroupAttachMode, modeOfFlags } from "./cgroup-mode.ts";
import { native } from "./native.ts";
import type { AttachType, MapType, ProgramType } from "./type-names.ts";

/** How many values a per-CPU element has. */
export function possibleCpus(): number {
  return native.possibleCpus();
}

/** Whether a helper ("bpf_get_socket_cookie") may be called by a program type, found out by loading one. */
export function probeHelper(programType: ProgramType, helper: string): boolean {
  return native.probeHelper(programType, helper);
}

export function probeProgramType(type: ProgramType): boolean {
  return native.probeProgramType(type);
}

export function probeMapType(type: MapType): boolean {
  return native.probeMapType(type);
}

/** Ids of the programs attached to this very cgroup folder, in the order they run. */
export function cgroupPrograms(cgroupPath: string, attachType: AttachType): number[] {
  return native.cgroupPrograms(cgroupPath, attachType).ids;
}

export interface CgroupAttachments {
  /** In the order they run. */
  readonly programIds: readonly number[];
  /** Undefined without programs, when it has no meaning. */
  readonly mode: CgroupAttachMode | undefined;
}

/** The programs attached to this very cgroup folder, and what they let others do. */
export function cgroupAttachments(cgroupPath: string, attachType: AttachType): CgroupAttachments {
  const { ids, flags } = native.cgroupPrograms(cgroupPath, attachType);
  return { programIds: ids, mode: ids.length === 0 ? undefined : modeOfFlags(flags) };
}

/** Ids of all programs that run for a process in this cgroup, those of its ancestors, too, in the order they run. */
export function effectiveCgroupPrograms(cgroupPath: string, attachType: AttachType): number[] {
  return native.cgroupPrograms(cgroupPath, attachType, true).ids;
}

/** Ids of all programs in the kernel, whoever loaded them. Needs CAP_SYS_ADMIN (else EPERM), as has BpfProgram.openById. */
export function programIds(): number[] {
  return native.programIds();
}

/** As programIds, of maps. */
export function mapIds(): number[] {
  return native.mapIds();
}

/** As programIds, of links. */
export function linkIds(): number[] {
  return native.linkIds();
}

/** Removes a pin; false when there was none. Refuses (EINVAL) a path that is not on a bpffs. */
export function unpin(path: string): boolean {
  return native.unpin(path);
}

/** Mounts a bpffs on an existing folder, mode 0700; false when one is mounted there already. */
export function mountBpffs(path: string): boolean {
  return native.mountBpffs(path);
}

/**
 * Takes the lock of flock(2) on an open folder or file, such as a folder of pins: bpffs has these locks as other file systems do, and
 * all who see the folder see the lock, in whatever namespaces. It is there until the descriptor is closed, or the process ends.
 * @returns false while somebody else has it
 */
export function lockDescriptor(fd: number): boolean {
  return native.lockDescriptor(fd);
}
