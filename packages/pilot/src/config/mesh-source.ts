import type { MeshContent } from "@keelson/sources";

/** Where the mesh configuration comes from. */
export interface MeshSource {
  readonly content: MeshContent;
  /** Reads it, and keeps following it. @param onChange told after every change of `content` but for the first reading */
  start(onChange: () => void): Promise<void>;
  close(): Promise<void>;
}
