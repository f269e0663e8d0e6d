import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { RootStore, StoredRoot } from "./root-store.ts";

const schema = z.object({ "ca-cert.pem": z.string().min(1), "ca-key.pem": z.string().min(1) });

/** Keeps the root in a file that only its owner can read, of one control plane. */
export class FileRootStore implements RootStore {
  readonly place: string;

  constructor(path: string) {
    this.place = path;
  }

  async load(): Promise<StoredRoot | undefined> {
    let text: string;
    try {
      text = await readFile(this.place, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return this.parse(text);
  }

  async create(root: StoredRoot): Promise<StoredRoot> {
    const written = await this.write(root);
    try {
      // Unlike a renaming, this fails if the file is there.
      await link(written, this.place);
      return root;
    } catch (error) {
      const kept = await this.load();
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || kept === undefined) throw error;
      return kept;
    } finally {
      await rm(written, { force: true });
    }
  }

  async replace(previous: StoredRoot, next: StoredRoot): Promise<StoredRoot> {
    const kept = await this.load();
    if (kept !== undefined && kept["ca-cert.pem"] !== previous["ca-cert.pem"]) return kept;
    await rename(await this.write(next), this.place);
    return next;
  }

  private parse(text: string): StoredRoot {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // A parser's message quotes what it read, which may be the key.
      value = undefined;
    }
    const { data } = schema.safeParse(value);
    if (data !== undefined) return data;
    throw new Error(
      `${this.place} does not hold a root (JSON with ca-cert.pem and ca-key.pem); bring it back from a backup: with another root no workload would trust another that has its certificate already`,
    );
  }

  /** @returns the path of a file beside the kept one, whole and on disk. */
  private async write(root: StoredRoot): Promise<string> {
    await mkdir(dirname(this.place), { recursive: true, mode: 0o700 });
    const path = `${this.place}.${randomUUID()}`;
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(root, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    return path;
  }
}
