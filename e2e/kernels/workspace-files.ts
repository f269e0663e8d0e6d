import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { chartValuesFile } from "../world/agent-rights.ts";
import type { GuestFile } from "./cpio.ts";
import { sharedLibraries } from "./host-tools.ts";

/** Where the workspace lies in a guest. */
export const guestWorkspace = "/keelson";

const workspace = resolve(import.meta.dirname, "../..");

/**
 * The built workspace as e2e programs see it: e2e's sources, the packages it depends on as they are built, and
 * their production dependencies, with pnpm's links kept so that each package is there once; and the chart's settings.
 */
export async function collectWorkspace(): Promise<GuestFile[]> {
  const files = new Map<string, GuestFile>();
  const queue = [join(workspace, "e2e")];
  for (const directory of queue) {
    for (const file of await packageFiles(directory)) files.set(file.path, file);
    for (const { link, target } of await dependencies(directory)) {
      files.set(guestPath(link), { path: guestPath(link), link: guestPath(target) });
      if (!queue.includes(target)) queue.push(target);
    }
  }
  files.set(guestPath(chartValuesFile), {
    path: guestPath(chartValuesFile),
    from: chartValuesFile,
    mode: 0o644,
  });
  const addons = [...files.values()].flatMap((f) =>
    "from" in f && f.from.endsWith(".node") ? [f.from] : [],
  );
  return [...files.values(), ...(await sharedLibraries(addons))];
}

/** A path of the workspace as the guest sees it; what lies outside, such as a shared store, keeps its path. */
function guestPath(path: string): string {
  const inside = relative(workspace, path);
  return inside.startsWith("..") ? path : join(guestWorkspace, inside);
}

/** The production dependencies of a package: the entry in a node_modules folder, and the real folder behind it. */
async function dependencies(directory: string): Promise<{ link: string; target: string }[]> {
  const manifest: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
  const optional = new Set([
    ...namesIn(manifest, "optionalDependencies"),
    ...namesIn(manifest, "peerDependencies"),
  ]);
  const found: { link: string; target: string }[] = [];
  for (const name of new Set([...namesIn(manifest, "dependencies"), ...optional])) {
    const link = await findDependency(directory, name);
    if (link) found.push({ link, target: await realpath(link) });
    else if (!optional.has(name)) throw new Error(`${name}, which ${directory} depends on, is not installed`);
  }
  return found;
}

/** The keys of an object in a package's manifest. */
function namesIn(manifest: unknown, field: string): string[] {
  const value: unknown = Object.entries(manifest ?? {}).find(([name]) => name === field)?.[1];
  return Object.keys(value ?? {});
}

/** Node's own way: node_modules/NAME here, then in each folder above. */
async function findDependency(directory: string, name: string): Promise<string | undefined> {
  for (let d = directory; ; d = dirname(d)) {
    const candidate = join(d, "node_modules", name);
    const there = basename(d) !== "node_modules" && (await lstat(candidate).catch(() => undefined));
    if (there) return candidate;
    if (d === dirname(d)) return undefined;
  }
}

/** The files of one package that a running program may open. */
async function packageFiles(directory: string): Promise<GuestFile[]> {
  const external = directory.split("/").includes("node_modules");
  const isE2e = directory === join(workspace, "e2e");
  const wanted = external ? isRuntimeFile : isE2e ? isE2eFile : isBuiltFile;
  const files: GuestFile[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const inPackage = relative(directory, path);
    if (entry.isFile() && !inPackage.split("/").includes("node_modules") && wanted(inPackage))
      files.push({ path: guestPath(path), from: path, mode: 0o755 });
  }
  return files;
}

/** Of a dependency: no types, source maps or texts; Node strips no types below node_modules, so no TypeScript. */
function isRuntimeFile(path: string): boolean {
  return !/\.(ts|mts|cts|map|md|markdown|flow|tsbuildinfo)$/i.test(path);
}

/** Of a package of the workspace: what its build made, not its sources. */
function isBuiltFile(path: string): boolean {
  if (/(\.d\.ts|\.map|\.tsbuildinfo|\.test\.\w+|(?<!\.bpf)\.o)$/.test(path)) return false;
  return /^(dist|gen|build)\//.test(path) || /\.(js|mjs|cjs|json|node)$/.test(path);
}

/** Of e2e: its TypeScript runs as it is, and may read fixtures beside it. */
function isE2eFile(path: string): boolean {
  return !/^(dist|out)\//.test(path) && !path.endsWith(".test.ts");
}
