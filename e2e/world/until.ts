import { setTimeout as delay } from "node:timers/promises";

export interface UntilOptions {
  /** In words, for the error: "waited 10 s for <what>". */
  readonly what: string;
  /** 100,000 by default, 600,000 in a guest: an emulated machine that is busy with other things is slow, not broken. */
  readonly timeoutMs?: number;
  /**
   * Time between two looks. By default it grows from 10 to 100, as who is looked at works for it, and in a guest it is 250,
   * where looking keeps a processor busy.
   */
  readonly everyMs?: number;
}

const usual =
  process.env["KEELSON_GUEST"] === undefined
    ? { timeoutMs: 100_000, firstMs: 10, lastMs: 100 }
    : { timeoutMs: 600_000, firstMs: 250, lastMs: 250 };
/** Of one time between two looks to the next. */
const growth = 1.25;

/**
 * Looks again and again until `condition` gives something else than undefined or false.
 * @throws Error at the time-out, with what the condition threw last. An error it throws before is no reason to stop.
 */
export async function until<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeoutMs = usual.timeoutMs, everyMs }: UntilOptions,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  let pauseMs = everyMs ?? usual.firstMs;
  do {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    await delay(pauseMs);
    pauseMs = everyMs ?? Math.min(pauseMs * growth, usual.lastMs);
  } while (performance.now() < end);
  const reason = last instanceof Error ? `: ${last.message}` : "";
  throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}${reason}`, { cause: last });
}

/** Thrown by a condition that can never come true: waiting ends at once. */
export class Hopeless extends Error {}
