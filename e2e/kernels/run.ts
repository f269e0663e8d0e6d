import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { GuestFile } from "./cpio.ts";
import { GuestOutput } from "./guest-output.ts";
import { buildInitramfs } from "./initramfs.ts";
import { type CachedKernel, cacheDirectory, findKernel, listKernels } from "./kernel-cache.ts";
import { consoleLines, findComplaints, findPanic } from "./kernel-log.ts";
import { runMachine } from "./qemu.ts";
import { collectWorkspace } from "./workspace-files.ts";

/** What to run in which guest. */
export interface GuestRun {
  /** Series in the cache, such as "6.1"; see setup. */
  kernel: string;
  /** Program and arguments; it runs in the workspace's copy with node, ip and busybox's tools in PATH. */
  command: readonly string[];
  /** Files beside the built workspace, by absolute path in the guest. */
  files?: readonly GuestFile[];
  /** For boot and command together; 120,000 by default. */
  timeoutMs?: number;
  /** 2048 by default; the image itself takes some 400 of it. */
  memoryMiB?: number;
  /** 2 by default. */
  cpus?: number;
  /** Called with the command's output as it comes, stdout and stderr in one. */
  onOutput?: (text: string) => void;
}

/** What came of a command in a guest. */
export interface GuestResult {
  exitCode: number;
  /** stdout and stderr of the command. */
  output: string;
  /** `uname -a` in the guest. */
  uname: string;
  /** Lines of the kernel's log that report a fault in the kernel: WARNING, BUG, stalls. */
  kernelComplaints: string[];
  /** From QEMU's start to the command's, wall clock. */
  bootSeconds: number;
  /** From QEMU's start to its end, wall clock. */
  totalSeconds: number;
}

/** The guest did not get as far as the command's exit code; the message ends with the console's last lines. */
export class GuestError extends Error {
  /** All the kernel printed. */
  readonly console: string;
  /** What the command wrote until then. */
  readonly output: string;
  constructor(message: string, console: string, output: string) {
    super(message);
    this.name = "GuestError";
    this.console = console;
    this.output = output;
  }
}

const defaultTimeoutMs = 120_000;

/** A guest that writes without end must not fill the runner's memory. */
const maxOutputLength = 64 << 20;

/** Boots a kernel, runs a command in it and powers it off. Throws {@link GuestError} after a panic or timeout. */
export async function runInGuest(run: GuestRun): Promise<GuestResult> {
  if (process.arch !== "x64")
    throw new Error(
      `guests run this machine's node on Debian's amd64 kernels; this machine is ${process.arch}`,
    );
  const kernel = await findKernel(run.kernel);
  const directory = await makeRunDirectory();
  try {
    const token = randomBytes(8).toString("hex");
    const files = [...(await collectWorkspace()), ...(run.files ?? [])];
    await buildInitramfs(join(directory, "initramfs"), kernel, { token, command: run.command, files });
    return await boot(run, kernel, directory, token);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function boot(
  run: GuestRun,
  kernel: CachedKernel,
  directory: string,
  token: string,
): Promise<GuestResult> {
  const consoleFile = join(directory, "console");
  const timeoutMs = run.timeoutMs ?? defaultTimeoutMs;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(`no exit code after ${timeoutMs / 1000} s`), timeoutMs);
  const machine = { image: kernel.image, initramfs: join(directory, "initramfs"), consoleFile };
  const size = { memoryMiB: run.memoryMiB ?? 2048, cpus: run.cpus ?? 2 };
  let text = "";
  const output = new GuestOutput(token, (piece) => {
    text += piece;
    run.onOutput?.(piece);
    if (text.length > maxOutputLength)
      abort.abort(`the command wrote more than ${maxOutputLength} characters`);
  });
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  let bootSeconds = 0;
  const onSerial = (piece: string) => {
    output.push(piece);
    if (output.report.uname !== undefined && bootSeconds === 0) bootSeconds = seconds();
  };
  try {
    await runMachine({ ...machine, ...size }, onSerial, abort.signal);
  } finally {
    clearTimeout(timer);
  }
  const console = await readFile(consoleFile, "utf8").catch(() => "");
  const { exitCode, uname } = output.report;
  if (exitCode === undefined || uname === undefined)
    throw new GuestError(explain(run, console, abort.signal, uname, seconds()), console, text);
  const kernelComplaints = findComplaints(console);
  return { exitCode, output: text, uname, kernelComplaints, bootSeconds, totalSeconds: seconds() };
}

function explain(
  run: GuestRun,
  console: string,
  signal: AbortSignal,
  uname: string | undefined,
  seconds: number,
) {
  const panic = findPanic(console);
  const reason = panic
    ? `kernel panic: ${panic}`
    : signal.aborted
      ? String(signal.reason)
      : "the machine went off without an exit code";
  const stage = uname === undefined ? "while booting" : `in the command ${JSON.stringify(run.command)}`;
  // A panic's own lines, and those of its stack, are the last ones: what it began with stands before them.
  const faults = findComplaints(console).slice(0, 10);
  const said = faults.length === 0 ? "" : `\nfaults that its kernel told of:\n${faults.join("\n")}`;
  const last = consoleLines(console).slice(-25).join("\n");
  return `guest with kernel ${run.kernel}, ${stage}, after ${seconds.toFixed(1)} s: ${reason}${said}\nlast lines of its console:\n${last}`;
}

/** A folder for one run; those of runners that are gone, perhaps killed, are removed. */
async function makeRunDirectory(): Promise<string> {
  const runs = join(cacheDirectory(), "runs");
  await mkdir(runs, { recursive: true });
  for (const name of await readdir(runs))
    if (!isRunning(Number.parseInt(name, 10))) await rm(join(runs, name), { recursive: true, force: true });
  const directory = join(runs, `${process.pid}-${randomBytes(4).toString("hex")}`);
  await mkdir(directory);
  return directory;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      kernel: { type: "string" },
      list: { type: "boolean" },
      timeout: { type: "string", default: `${defaultTimeoutMs / 1000}` },
    },
    allowPositionals: true,
  });
  const kernels = await listKernels();
  if (values.list) {
    for (const kernel of kernels)
      console.log(`${kernel.series}\t${kernel.release}\t${kernel.packageVersion}`);
    return 0;
  }
  if (positionals.length === 0) {
    console.error(
      "usage: node e2e/kernels/run.ts [--kernel 6.1] [--timeout SECONDS] [--list] -- command [argument…]",
    );
    return 2;
  }
  const result = await runInGuest({
    kernel: values.kernel ?? kernels[0]?.series ?? "6.1",
    command: positionals,
    timeoutMs: Number(values.timeout) * 1000,
    onOutput: (text) => void process.stdout.write(text),
  });
  for (const line of result.kernelComplaints) console.error(`kernel: ${line}`);
  const times = `command after ${result.bootSeconds.toFixed(1)} s, ended after ${result.totalSeconds.toFixed(1)} s`;
  console.error(`${result.uname}: exit code ${result.exitCode}; ${times}`);
  return result.exitCode;
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(error instanceof GuestError ? error.message : error);
    return 70;
  });
}
