import { rmSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { KubernetesObject } from "./objects.ts";

/** Objects as a multi-document YAML file, as `kubectl get -o yaml` would not object to. */
export const yamlDocuments = (objects: readonly KubernetesObject[]): string =>
  objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n");

/** The folder that the control plane watches. Files appear and change whole: written beside, then renamed. */
export class ConfigFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(path: string): Promise<ConfigFolder> {
    await mkdir(path, { recursive: true });
    return new ConfigFolder(path);
  }

  file(name: string): string {
    return join(this.path, `${name}.yaml`);
  }

  /** Writes objects, or a text as it is, to the file `name`.yaml. */
  async write(name: string, content: readonly KubernetesObject[] | string): Promise<void> {
    const beside = this.beside(name);
    await writeFile(beside, typeof content === "string" ? content : yamlDocuments(content));
    await rename(beside, this.file(name));
  }

  async remove(name: string): Promise<void> {
    await rm(this.file(name));
  }
  /** Removes a file, if it is there, and what is left of a write under way: for a process that ends. */
  removeNow(name: string): void {
    for (const path of [this.beside(name), this.file(name)]) rmSync(path, { force: true });
  }

  private beside(name: string): string {
    return join(this.path, `.${name}.${process.pid}`);
  }
}
