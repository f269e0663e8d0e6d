import type { Problem } from "../config-object.ts";

/** What an object became, and what was wrong with it. */
export interface Normalised<T> {
  readonly value: T;
  readonly problems: readonly Problem[];
}
