import type { Behaviour, Observed, Size } from "./behaviour.ts";
import { compareWithRecords, readRecords } from "./record.ts";

/** What came of looking at some behaviours. */
export interface Run {
  readonly observed: Readonly<Record<string, Observed>>;
  /** Names of those that are not as they should be. */
  readonly failed: readonly string[];
}

/**
 * Looks at behaviours one after another, compares each with the records, and says what came of it.
 * @param compare false where what is seen is to become the record
 */
export async function runBehaviours(
  behaviours: readonly Behaviour[],
  size: Size,
  say: (line: string) => void,
  compare = true,
): Promise<Run> {
  const records = await readRecords();
  const observed: Record<string, Observed> = {};
  const failed: string[] = [];
  for (const behaviour of behaviours) {
    const { name } = behaviour;
    const startedAt = performance.now();
    const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
    try {
      const seen = await behaviour.observe(size, (figure) => say(`        ${name}: ${figure}`));
      if (compare) compareWithRecords(name, seen, records);
      observed[name] = seen;
      say(`ok      ${name} (${seconds()} s)`);
    } catch (error) {
      failed.push(name);
      say(`FAILED  ${name} (${seconds()} s)\n${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  return { observed, failed };
}
