import type { CheckGroup, FindingState } from "@keelson/bpf-applier/finding";

/** Before anything is installed, or afterwards. */
export type Phase = "pre" | "installed";

/** All that one run of `keelson check` found. */
export interface CheckReport {
  readonly phase: Phase;
  /** What was looked at: this node, a cluster. */
  readonly looked: readonly string[];
  readonly groups: readonly CheckGroup[];
  readonly counts: Readonly<Record<FindingState, number>>;
}

export function checkReport(
  phase: Phase,
  looked: readonly string[],
  groups: readonly CheckGroup[],
): CheckReport {
  const counts = { ok: 0, warning: 0, error: 0, skipped: 0 };
  for (const { state } of groups.flatMap(({ findings }) => findings)) counts[state] += 1;
  return { phase, looked, groups, counts };
}
