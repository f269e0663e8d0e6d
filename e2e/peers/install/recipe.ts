import type { Say } from "./long-command.ts";

/** How one peer gets into the cache. */
export interface Recipe {
  /** For the list of peers: what it is, in a few words. */
  readonly what: string;
  readonly version: string;
  /** Path of the program below the peer's folder. */
  readonly program: string;
  /** What the result depends on beside the version. Anything that JSON can carry. */
  inputs(): unknown;
  /** Fills an empty folder. The folder is the one the peer will stay in. */
  install(folder: string, say: Say): Promise<void>;
}
