import { formatTable } from "../peers/install/table.ts";
import type { Outcome, State } from "./outcome.ts";

/** Alone on the last line: what was run, in words that a machine can read, too. */
export function summary(outcomes: readonly Outcome[]): string {
  const count = (...states: readonly State[]): number =>
    outcomes.filter(({ state }) => states.includes(state)).length;
  const [passed, failed, skipped, differs] = [
    count("passed"),
    count("failed"),
    count("skipped", "differs"),
    count("differs"),
  ];
  return `${passed} passed, ${failed} failed, ${skipped} skipped (${differs} listed differences)`;
}

/** For a person: a table, what failed with what was sent and what came, and the summary. */
export function textReport(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ name, variant, state, reason, ms }) => [
    name,
    variant,
    state,
    `${ms.toFixed(0)} ms`,
    state === "failed" ? "see below" : reason,
  ]);
  const failures = outcomes
    .filter(({ state }) => state === "failed")
    .map(({ name, variant, reason, transcript }) =>
      [`${name}, ${variant}: ${reason}`, ...transcript.map((line) => `  ${line}`), ""].join("\n"),
    );
  const table = formatTable(["case", "variant", "outcome", "time", "reason"], rows);
  return [table, "", ...failures, summary(outcomes), ""].join("\n");
}

/** For a machine. @param server that was examined */
export const jsonReport = (outcomes: readonly Outcome[], server: string): string =>
  `${JSON.stringify({ server, outcomes, summary: summary(outcomes) }, null, 2)}\n`;
