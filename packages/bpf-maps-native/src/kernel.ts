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
  return native.cgroupPrograms(cgroupPath, attachType);
}

/** Removes a pin; false when there was none. Refuses (EINVAL) a path that is not on a bpffs. */
export function unpin(path: string): boolean {
  return native.unpin(path);
}

/** Mounts a bpffs on an existing folder, mode 0700; false when one is mounted there already. */
export function mountBpffs(path: string): boolean {
  return native.mountBpffs(path);
}
