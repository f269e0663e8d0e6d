/**
 * What a program is attached to a cgroup with: "multi" lets others attach here and below, "override" lets one below take
 * its place, "exclusive" neither. Links are always "multi".
 */
export type CgroupAttachMode = "exclusive" | "override" | "multi";

/** BPF_F_ALLOW_OVERRIDE and BPF_F_ALLOW_MULTI of linux/bpf.h. */
const flags = { exclusive: 0, override: 1, multi: 2 } as const satisfies Record<CgroupAttachMode, number>;

export const flagsOfMode = (mode: CgroupAttachMode): number => flags[mode];

/** @param bits of which others than these two may be set */
export const modeOfFlags = (bits: number): CgroupAttachMode =>
  (bits & flags.multi) !== 0 ? "multi" : (bits & flags.override) !== 0 ? "override" : "exclusive";
