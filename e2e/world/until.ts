import { setTimeout as delay } from "node:timers/promises";

export interface UntilOptions {
  /** In words, for the error: "waited 10 s for <what>". */
  readonly what: string;
  /** 100,000 by default, 600,000 in a guest: an emulated machine that is busy with other things is slow, not broken. */
  readonly timeoutMs?: number;
  /** Time between two looks; 10 by default, 250 in a guest, where looking keeps a processor busy. */
  readonly everyMs?: number;
}

const [usualTimeoutMs, usualEveryMs] =
  process.env["KEELSON_GUEST"] === undefined ? [100_000, 10] : [600_000, 250];

/**
 * Looks again and again until `condition` gives something else than undefined or false.
 * @throws Error at the time-out, with what the condition threw last. An error it throws before is no reason to stop.
 */
export async function until<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeoutMs = usualTimeoutMs, everyMs = usualEveryMs }: UntilOptions,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    await delay(everyMs);
  } while (performance.now() < end);
  const reason = last instanceof Error ? `: ${last.message}` : "";
  throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}${reason}`, { cause: last });
}

/** Thrown by a condition that can never come true: waiting ends at once. */
export class Hopeless extends Error {}
