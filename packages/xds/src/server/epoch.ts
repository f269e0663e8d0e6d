import { randomUUID } from "node:crypto";
import type { TypeRule } from "./type-rules.ts";
import type { View } from "./view.ts";

/** One version of everything. */
export interface Epoch {
  /** The snapshot's number, in decimal. */
  readonly number: string;
  /** As istiod's push versions: RFC 3339 time, "/", and a counter. */
  readonly time: string;
}

/** What one node gets at one version. */
export interface State {
  readonly epoch: Epoch;
  readonly view: View;
}

/** @param count of snapshots since the server started */
export function epochOf(version: bigint, count: number, now = new Date()): Epoch {
  return {
    number: version.toString(),
    // Seconds are as precise as istiod tells it.
    time: `${now.toISOString().replace(/\.\d+Z$/, "Z")}/${count}`,
  };
}

export const versionOf = (epoch: Epoch, { versionForm }: TypeRule): string =>
  versionForm === "time" ? epoch.time : epoch.number;

/** @param count of responses on the stream so far. */
export const nonceOf = (epoch: Epoch, { versionForm }: TypeRule, count: number): string =>
  versionForm === "time" ? `${epoch.time}${randomUUID()}` : count.toString();
