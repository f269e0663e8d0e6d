import { createHash, type Hash } from "node:crypto";
import { globSync, readFileSync, realpathSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  /** It is not published, so nobody counts its versions. */
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What is run of a package as it is built: modules, addons, programs of the kernel, and the one that holds descriptors. */
const codeFiles = ["{dist,gen}/**/*.js", "build/{*.node,*.o,descriptor-holder}"];
const exclude = ["**/*.test.js"];

/**
 * The code of a package and of all that it depends on. Published ones are known by their versions, others by their files.
 * @param manifest path of its package.json
 * @throws Error if one of them is not there
 */
export function codeHash(manifest: string): string {
  const hash = createHash("sha256").update(process.version);
  addPackage(hash, realpathSync(manifest), new Set());
  return hash.digest("hex");
}

function addPackage(hash: Hash, manifest: string, seen: Set<string>): void {
  if (seen.has(manifest)) return;
  seen.add(manifest);
  const read = JSON.parse(readFileSync(manifest, "utf8")) as Manifest;
  hash.update(`${read.name} ${read.version} `);
  if (read.private !== true) return;
  const cwd = dirname(manifest);
  for (const file of globSync(codeFiles, { cwd, exclude }).sort()) hash.update(readFileSync(join(cwd, file)));
  for (const name of Object.keys(read.dependencies ?? {}).sort()) {
    const dependency = findPackageJSON(name, manifest);
    if (dependency === undefined)
      throw new Error(`${manifest}: the package ${name}, which it needs, is not there`);
    addPackage(hash, realpathSync(dependency), seen);
  }
}
