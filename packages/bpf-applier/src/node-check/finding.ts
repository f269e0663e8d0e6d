/** What is right, what works but should be known, what does not work, and what could not be looked at. */
export type FindingState = "ok" | "warning" | "error" | "skipped";

export interface Finding {
  /** What was looked at, in a few words: "cgroup v2". */
  readonly check: string;
  readonly state: FindingState;
  /** What was found there; why, if it was not looked at. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Findings on one subject. */
export interface CheckGroup {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const ok = (check: string, found: string): Finding => ({ check, state: "ok", found });

export const skipped = (check: string, why: string): Finding => ({ check, state: "skipped", found: why });

export const warning = (check: string, found: string, advice: string): Finding => ({
  check,
  state: "warning",
  found,
  advice,
});

export const error = (check: string, found: string, advice: string): Finding => ({
  check,
  state: "error",
  found,
  advice,
});
