import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GuestFile } from "./cpio.ts";
import { exec } from "./exec.ts";
import { cacheDirectory, listKernels } from "./kernel-cache.ts";
import { runKernelMatrix } from "./matrix.ts";
import { guestWorkspace } from "./workspace-files.ts";

/** The command that proves what a guest offers; it needs the files of {@link checkFiles}. */
export const checkCommand = ["node", "e2e/kernels/check-in-guest.ts"] as const;

/** Compiles the check's program and returns it as a file for the guest. */
export async function checkFiles(): Promise<GuestFile[]> {
  const object = join(cacheDirectory(), "check", "check.bpf.o");
  await mkdir(dirname(object), { recursive: true });
  const triple = (await exec("gcc", ["-dumpmachine"])).trim();
  // The target "bpf" does not know where Debian keeps the architecture's <asm/types.h>.
  const flags = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Werror", `-I/usr/include/${triple}`];
  await exec("clang", [...flags, "-c", join(import.meta.dirname, "check.bpf.c"), "-o", object]);
  return [{ path: `${guestWorkspace}/e2e/kernels/check.bpf.o`, from: object, mode: 0o644 }];
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const kernels = asked.length > 0 ? asked : (await listKernels()).map((kernel) => kernel.series);
  const rows = await runKernelMatrix({ kernels, command: checkCommand, files: await checkFiles() });
  process.exitCode = rows.every((row) => row.passed) ? 0 : 1;
}
