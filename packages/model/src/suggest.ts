import { z } from "zod";
import type { FieldPath } from "./config-object.ts";
import { childOf, unwrap } from "./schema-walk.ts";

/** Levenshtein's distance: single-character edits from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A third of the letters may be wrong. */
const limitOf = (candidate: string): number => Math.max(1, Math.floor(candidate.length / 3));

/** The known word that a user most likely meant; undefined if none is near. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const near = known
    // The distance is at least the difference of the lengths: a long word need not be compared.
    .filter((candidate) => Math.abs(candidate.length - word.length) <= limitOf(candidate))
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= limitOf(candidate))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate;
}

/** As suggest, among the fields that the schema knows at `path`. */
export function suggestField(schema: z.ZodType, path: FieldPath, field: string): string | undefined {
  let at: unknown = schema;
  for (const part of path) at = childOf(unwrap(at), part);
  const object = unwrap(at);
  return object instanceof z.ZodObject ? suggest(field, Object.keys(object.shape)) : undefined;
}
