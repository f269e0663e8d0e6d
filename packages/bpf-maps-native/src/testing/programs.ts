import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BpfObject } from "../bpf-object.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const compiled = new Map<string, string>();

/** Where Debian keeps asm/types.h: the name of the machine's library folder. */
function machineIncludes(): string {
  return `/usr/include/${execFileSync("cc", ["-print-multiarch"], { encoding: "utf8" }).trim()}`;
}

/** The object file of a .bpf.c file, compiled once per process. */
export function compileSource(source: string): string {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const folder = join(root, "build", "test");
  mkdirSync(folder, { recursive: true });
  const object = join(folder, basename(source).replace(/c$/, "o"));
  const fresh = `${object}.${String(process.pid)}`; // several workers compile at the same time
  const flags = "-O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror".split(" ");
  execFileSync("clang", [...flags, "-I", machineIncludes(), "-c", source, "-o", fresh]);
  renameSync(fresh, object);
  compiled.set(source, object);
  return object;
}

/** The object file of test/<name>.bpf.c. */
export function compileProgram(name: string): string {
  return compileSource(join(root, "test", `${name}.bpf.c`));
}

/** test/<name>.bpf.c opened, not yet loaded. */
export async function openProgram(name: string): Promise<BpfObject> {
  return await BpfObject.open(compileProgram(name));
}

/** test/<name>.bpf.c loaded. */
export async function loadProgram(name: string): Promise<BpfObject> {
  const object = await openProgram(name);
  await object.load();
  return object;
}

/** A 32-bit number as the machine stores it. */
export function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** A 64-bit number as the machine stores it. */
export function u64(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

/** The numbers behind bytes. */
export function numbers(bytes: Uint8Array | undefined): number[] {
  return bytes === undefined ? [] : [...new Uint32Array(bytes.slice().buffer)];
}

/** All that an iterator gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
