import type { Place } from "../place.ts";
import type { Step } from "../steps.ts";

/** What a caller found of one step. */
export interface Outcome {
  readonly step: string;
  /** What was wrong; nothing if nothing was. */
  readonly trouble?: string;
  /** Why its library cannot do the step. */
  readonly cannot?: string;
}

/** A client that real programs use, as it comes. */
export interface Caller {
  readonly name: string;
  /** Why it cannot run here; nothing if it can. */
  missing(): Promise<string | undefined>;
  /** @param base "http://host:port" */
  run(place: Place, base: string, steps: readonly Step[]): Promise<readonly Outcome[]>;
}
