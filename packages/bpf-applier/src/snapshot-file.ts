import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type SavedSnapshot, SavedSnapshotSchema } from "@keelson/protos/state";

/**
 * The last good policy on disk, so that a node that boots while the control plane is away has one.
 * Written beside and renamed, so that a crash or a full disk leaves the old file whole.
 */
export class SnapshotFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns undefined if there is none.
   * @throws Error naming the file if it is there and cannot be read or understood.
   */
  async read(): Promise<SavedSnapshot | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return fromBinary(SavedSnapshotSchema, bytes);
    } catch (error) {
      throw new Error(`${this.path} is damaged: ${(error as Error).message}`, { cause: error });
    }
  }

  async write(snapshot: SavedSnapshot): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const beside = `${this.path}.new`;
    const file = await open(beside, "w", 0o600);
    try {
      await file.writeFile(toBinary(SavedSnapshotSchema, snapshot));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, this.path);
  }
}
