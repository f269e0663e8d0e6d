import type { Ground } from "../ground.ts";
import type { HttpLoad, Load, Target } from "../http-load.ts";

/** One way from the caller to a server. */
export interface Row {
  readonly name: string;
  /** In a few words, for below the tables. */
  readonly what: string;
  /** What it needs and this machine does not have; nothing if it can be measured. */
  missing?(): Promise<string | undefined>;
  /** Resolves when requests are answered. */
  start(ground: Ground): Promise<Way>;
}

/** A row that runs. It ends with the ground, or before it if it can be stopped. */
export interface Way {
  readonly load: HttpLoad;
  readonly target: Target;
  /** How its requests look: see Load. */
  readonly heads?: string;
  /** Loads that it is measured with; all if left out. */
  fits?(load: Load): boolean;
  /** What stands between caller and server and takes memory: nothing where there is none. */
  processes?(): Promise<readonly number[]>;
  /** What its own counters say that it carried; held against what was sent. */
  readonly carried?: Carried;
  stop?(): Promise<void>;
}

export interface Carried {
  readonly what: "requests" | "connections";
  /** Since whenever. */
  count(): Promise<number>;
  /** The least part (0 to 1) of what was sent that must be counted. */
  readonly share: number;
}
