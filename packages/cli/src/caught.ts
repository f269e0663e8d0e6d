// What JavaScript throws is of no known type; these look at it without believing anything.

/** The text of an error, or of whatever else was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** "ENOENT", "ECONNREFUSED": the code of a system's error; undefined for anything else. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** What an error came from, the nearest first: its causes, and theirs. */
export function causesOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  // Where several addresses were tried, each has its own error.
  const own = [error.cause, ...(error instanceof AggregateError ? error.errors : [])].filter(Boolean);
  return own.flatMap((cause: unknown) => [cause, ...causesOf(cause)]);
}
