import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import type { GuestFile } from "./cpio.ts";
import { execBytes } from "./exec.ts";
import type { CachedKernel } from "./kernel-cache.ts";

/**
 * Loaded before the command, with their parameters: what network namespaces, clsact programs and socket listings
 * need. Without its parameter dummy would make an interface at once.
 */
const loadedModules: readonly { name: string; parameters?: string }[] = [
  { name: "veth" },
  { name: "bridge" },
  { name: "dummy", parameters: "numdummies=0" },
  { name: "sch_ingress" },
  { name: "cls_bpf" },
  { name: "inet_diag" },
  { name: "tcp_diag" },
  { name: "udp_diag" },
  { name: "unix_diag" },
];

/** In the image for `modprobe` or the kernel's own autoloading: impaired and encrypted links, traffic shaping. */
const availableModules = [
  "sch_netem",
  "sch_fq",
  "sch_htb",
  "ifb",
  "tun",
  "macvlan",
  "wireguard",
  "tls",
] as const;

/** The modules of an image: their files and the order to insert those that are loaded at boot. */
export interface ModuleSet {
  files: GuestFile[];
  /** Arguments of insmod, dependencies first: a guest path, then parameters. */
  insertions: string[];
}

/** Each module's path below lib/modules/RELEASE, with the paths of all it depends on. */
export type ModuleDependencies = Map<string, string[]>;

/** Parses modules.dep as depmod writes it: `path: dependency dependency`. */
export function parseModulesDep(text: string): ModuleDependencies {
  const dependencies: ModuleDependencies = new Map();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    dependencies.set(
      line.slice(0, colon),
      line
        .slice(colon + 1)
        .split(" ")
        .filter(Boolean),
    );
  }
  return dependencies;
}

/** "udp_diag" of "kernel/net/ipv4/udp-diag.ko.xz": the kernel takes - and _ for the same in a module's name. */
export function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");
}

/**
 * Orders the named modules and all they depend on so that each comes after its dependencies. Names that are built
 * in need no file; a name that is neither there nor built in throws.
 */
export function insertionOrder(
  dependencies: ModuleDependencies,
  names: readonly string[],
  builtIn: ReadonlySet<string> = new Set(),
): string[] {
  const paths = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const order = new Set<string>();
  const visiting = new Set<string>();
  const visit = (path: string) => {
    if (order.has(path)) return;
    if (visiting.has(path)) throw new Error(`modules.dep: ${path} depends on itself`);
    visiting.add(path);
    for (const dependency of dependencies.get(path) ?? []) visit(dependency);
    order.add(path);
  };
  for (const name of names) {
    const path = paths.get(name);
    if (path) visit(path);
    else if (!builtIn.has(name))
      throw new Error(`kernel module ${name} is neither in modules.dep nor built in`);
  }
  return [...order];
}

/** The module part of a kernel's image, uncompressed, with index files for busybox's modprobe. */
export async function collectModules(kernel: CachedKernel): Promise<ModuleSet> {
  const read = (name: string) => readFile(join(kernel.modulesDirectory, name), "utf8");
  const dependencies = parseModulesDep(await read("modules.dep"));
  const builtIn = new Set((await read("modules.builtin")).split("\n").map(moduleName));
  const parameters = new Map(loadedModules.map((module) => [module.name, module.parameters]));
  const loaded = [...parameters.keys()];
  const included = insertionOrder(dependencies, [...loaded, ...availableModules], builtIn);
  const root = `/lib/modules/${kernel.release}`;
  const files: GuestFile[] = [];
  for (const path of included)
    files.push({ path: `${root}/${plain(path)}`, content: await readModule(kernel, path), mode: 0o644 });
  const index = included.map(
    (path) => `${plain(path)}: ${(dependencies.get(path) ?? []).map(plain).join(" ")}\n`,
  );
  files.push({ path: `${root}/modules.dep`, content: index.join("") });
  files.push({ path: `${root}/modules.alias`, content: aliasesOf(await read("modules.alias"), included) });
  const insertions = insertionOrder(dependencies, loaded, builtIn).map((path) =>
    `${root}/${plain(path)} ${parameters.get(moduleName(path)) ?? ""}`.trim(),
  );
  return { files, insertions };
}

/** The lines `alias PATTERN MODULE` of modules.alias that name an included module. */
function aliasesOf(text: string, included: readonly string[]): string {
  const names = new Set(included.map(moduleName));
  const lines = text.split("\n").filter((line) => names.has((line.split(" ")[2] ?? "").replaceAll("-", "_")));
  return lines.map((line) => `${line}\n`).join("");
}

function plain(path: string): string {
  return path.replace(/\.ko\.\w+$/, ".ko");
}

/** busybox's insmod passes the file to the kernel as it is, and not every kernel can decompress it. */
async function readModule(kernel: CachedKernel, path: string): Promise<Uint8Array> {
  const file = join(kernel.modulesDirectory, path);
  if (file.endsWith(".ko")) return readFile(file);
  if (file.endsWith(".xz")) return execBytes("xz", ["-dc", file]);
  if (file.endsWith(".zst")) return zstdDecompressSync(await readFile(file));
  throw new Error(`${file}: expected a module as .ko, .ko.xz or .ko.zst`);
}
