import type { Outcome } from "./test-reporter.ts";

/**
 * Lines of e2e/expected-skips.txt are "<beginning of a test's name> : <why it may be skipped>"; # starts a comment.
 * @returns the skipped tests that no line explains.
 */
export function unexpectedSkips(skipped: readonly Outcome[], expected: string): Outcome[] {
  const beginnings = expected
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const at = line.indexOf(" : ");
      if (at < 1 || line.slice(at + 3).trim() === "") {
        throw new Error(`e2e/expected-skips.txt: "${line}" has no " : <reason>"`);
      }
      return line.slice(0, at).trim();
    });
  return skipped.filter(({ name }) => !beginnings.some((beginning) => name.startsWith(beginning)));
}
