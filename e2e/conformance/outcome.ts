import { NotPossible } from "./case.ts";
import type { Differences } from "./differences.ts";
import { differenceKey } from "./differences.ts";
import type { Variant } from "./peer/messages.ts";
import { Nonconformity } from "./peer/nonconformity.ts";

/** "differs": not passed, as a list of differences says. */
export type State = "passed" | "failed" | "skipped" | "differs";

export interface Outcome {
  readonly name: string;
  readonly variant: Variant;
  readonly state: State;
  /** Why it was not passed, or should not have been. */
  readonly reason: string;
  /** Of the streams of a case that failed: what was sent and what came, one stream after the other. */
  readonly transcript: readonly string[];
  readonly ms: number;
}

export interface CaseResult {
  readonly name: string;
  readonly variant: Variant;
  /** Undefined: it went well. */
  readonly error: Error | undefined;
  readonly transcript: readonly string[];
  readonly ms: number;
}

/** What a case's result means, in the light of the differences that are known. */
export function outcomeOf({ error, transcript, ...about }: CaseResult, differences: Differences): Outcome {
  const known = differences.get(differenceKey(about.name, about.variant));
  const quiet = { ...about, transcript: [] };
  if (error instanceof NotPossible) return { ...quiet, state: "skipped", reason: error.message };
  if (error === undefined) {
    if (known === undefined) return { ...quiet, state: "passed", reason: "" };
    const reason = `it is listed as a difference (${known}), and yet it passed: take it off the list`;
    return { ...quiet, state: "failed", reason };
  }
  // Only what a server does can be a difference; that a case broke down is none.
  if (known !== undefined && error instanceof Nonconformity)
    return { ...quiet, state: "differs", reason: known };
  return { ...about, transcript, state: "failed", reason: error.message };
}
