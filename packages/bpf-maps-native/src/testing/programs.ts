import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BpfObject } from "../bpf-object.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Beside the package and not in it: the 50 MB of big.bpf.o are nothing that is built to be used. */
const objects = join(root, "node_modules", ".cache", "bpf");
const flags = "-O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror".split(" ");

/** Where Debian keeps asm/types.h: the name of the machine's library folder. */
function machineIncludes(): string {
  return `/usr/include/${execFileSync("cc", ["-print-multiarch"], { encoding: "utf8" }).trim()}`;
}

function readOr(file: string, otherwise: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : otherwise;
}

/** The object file of a .bpf.c file, compiled when its text or the flags are not those of last time. */
export function compileSource(source: string): string {
  const object = join(objects, basename(source).replace(/c$/, "o"));
  const text = flags.join(" ") + readFileSync(source, "utf8");
  if (readOr(`${object}.source`, "") === text) return object;
  mkdirSync(objects, { recursive: true });
  const fresh = `${object}.${String(process.pid)}`; // several workers compile at the same time
  execFileSync("clang", [...flags, "-I", machineIncludes(), "-c", source, "-o", fresh]);
  renameSync(fresh, object);
  writeFileSync(fresh, text);
  renameSync(fresh, `${object}.source`);
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

/** test/traffic.bpf.c loaded, with a setting of its own. */
export async function loadTraffic(
  stack: AsyncDisposableStack,
  setting: "target_port" | "redirect_key",
  value: number,
): Promise<BpfObject> {
  const object = stack.use(await openProgram("traffic"));
  object.setReadOnlyData(setting, value);
  object.configureProgram("forward", { type: "sk_skb", expectedAttachType: "sk_skb_verdict" });
  await object.load();
  return object;
}

/** What test/traffic.bpf.c has counted. */
export function counter(object: BpfObject, index: number): number | undefined {
  using counters = object.map("counters");
  return numbers(counters.lookup(u32(index)))[0];
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
