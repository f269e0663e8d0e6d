import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, copyFile, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type GuestFile, writeCpio } from "./cpio.ts";
import { commandScript, etcFiles, guestPaths, initScript } from "./guest-init.ts";
import { collectHostTools } from "./host-tools.ts";
import { type CachedKernel, cacheDirectory } from "./kernel-cache.ts";
import { collectModules } from "./modules.ts";

/** Parts of images kept in the cache; each is some 140 MB (programs) or 2 MB (modules). */
const keptParts = 6;

/** What changes from run to run. */
export interface RunPart {
  token: string;
  command: readonly string[];
  files: readonly GuestFile[];
}

/**
 * Writes the initramfs of one run to `target`: the host's programs and the kernel's modules from the cache, where
 * they lie under the hash of their content, then the run's own files. The kernel unpacks archives one after another.
 */
export async function buildInitramfs(target: string, kernel: CachedKernel, run: RunPart): Promise<void> {
  const modules = await collectModules(kernel);
  const etc = Object.entries(etcFiles).map(([path, content]) => ({ path, content, mode: 0o644 }));
  const programs = await cachedPart([...(await collectHostTools()), ...etc], { console: true });
  const moduleList = { path: guestPaths.modules, content: modules.insertions.map((m) => `${m}\n`).join("") };
  const kernelPart = await cachedPart([...modules.files, moduleList]);
  const runPart = `${target}.run`;
  await writeCpio(runPart, [
    { path: "/init", content: initScript },
    { path: guestPaths.token, content: run.token },
    { path: guestPaths.command, content: commandScript(run.command) },
    ...run.files,
  ]);
  await concatenate([programs, kernelPart, runPart], target);
  await rm(runPart);
}

/** The archive of these files from the cache, written now if it is not there. */
async function cachedPart(files: readonly GuestFile[], options: { console?: boolean } = {}): Promise<string> {
  const directory = join(cacheDirectory(), "initramfs");
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${await hashFiles(files, options)}.cpio`);
  const cached = await access(path).then(
    () => true,
    () => false,
  );
  if (cached) {
    const now = new Date();
    await utimes(path, now, now);
    return path;
  }
  const partial = `${path}.${process.pid}`;
  await writeCpio(partial, files, options);
  await rename(partial, path);
  await removeOldParts(directory);
  return path;
}

/** SHA-256 over paths, modes and contents. */
async function hashFiles(files: readonly GuestFile[], options: { console?: boolean }): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(options));
  for (const file of files) {
    hash.update(`\0${file.path}\0${"mode" in file ? file.mode : ""}\0`);
    if ("link" in file) hash.update(file.link);
    else if ("content" in file) hash.update(file.content);
    else
      for await (const chunk of createReadStream(file.from, { highWaterMark: 1 << 20 }))
        hash.update(chunk as Buffer);
  }
  return hash.digest("hex").slice(0, 32);
}

/** Keeps the parts used last; those of programs or kernels since updated go. */
async function removeOldParts(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".cpio"));
  const parts = await Promise.all(
    names.map(async (n) => ({ n, at: (await stat(join(directory, n))).mtimeMs })),
  );
  for (const { n } of parts.sort((a, b) => b.at - a.at).slice(keptParts))
    await rm(join(directory, n), { force: true });
}

/** The first and largest part is copied within the kernel. */
async function concatenate([first, ...rest]: readonly [string, ...string[]], target: string): Promise<void> {
  await copyFile(first, target);
  for (const part of rest) await pipeline(createReadStream(part), createWriteStream(target, { flags: "a" }));
}
