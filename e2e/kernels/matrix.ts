import type { GuestFile } from "./cpio.ts";
import { type GuestResult, runInGuest } from "./run.ts";

/** One command on several kernels, one after another. */
export interface MatrixRun {
  /** Series such as "6.1". */
  kernels: readonly string[];
  command: readonly string[];
  files?: readonly GuestFile[];
  /** Per kernel, boot included. */
  timeoutMs?: number;
  /** Gets the commands' output and the table; stdout by default. */
  write?: (text: string) => void;
}

/** What came of one kernel. */
export interface MatrixRow {
  kernel: string;
  /** Exit code 0 and nothing in the kernel's log that reports a fault. */
  passed: boolean;
  /** The reason, in one line: "ok", an exit code, kernel complaints or why there was no exit code. */
  summary: string;
  seconds: number;
  /** Missing if the guest did not get to the command's end. */
  result?: GuestResult;
}

/** Runs the command on each kernel, prints its output and at the end a table: kernel, uname, result, seconds. */
export async function runKernelMatrix(run: MatrixRun): Promise<MatrixRow[]> {
  const write = run.write ?? ((text: string) => void process.stdout.write(text));
  const rows: MatrixRow[] = [];
  for (const kernel of run.kernels) {
    write(`--- kernel ${kernel}\n`);
    rows.push(await runOne(run, kernel, write));
  }
  write(`${formatTable(rows)}\n`);
  return rows;
}

async function runOne(run: MatrixRun, kernel: string, write: (text: string) => void): Promise<MatrixRow> {
  const { command, files, timeoutMs } = run;
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  try {
    const limits = { ...(files ? { files } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const result = await runInGuest({ kernel, command, onOutput: write, ...limits });
    for (const line of result.kernelComplaints) write(`kernel ${kernel}: ${line}\n`);
    const passed = result.exitCode === 0 && result.kernelComplaints.length === 0;
    return { kernel, passed, summary: summarize(result), seconds: seconds(), result };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    write(`${message}\n`);
    return { kernel, passed: false, summary: message.split("\n")[0] ?? "", seconds: seconds() };
  }
}

function summarize(result: GuestResult): string {
  const complaints = result.kernelComplaints.length;
  if (result.exitCode !== 0)
    return `exit code ${result.exitCode}${complaints ? `, ${complaints} kernel complaints` : ""}`;
  return complaints > 0 ? `${complaints} kernel complaints` : "ok";
}

/** Columns of equal width, separated by two spaces. */
export function formatTable(rows: readonly MatrixRow[]): string {
  const cells = [
    ["kernel", "uname", "result", "boot s", "total s"],
    ...rows.map((row) => [
      row.kernel,
      shortUname(row.result?.uname),
      row.summary,
      row.result?.bootSeconds.toFixed(1) ?? "-",
      row.seconds.toFixed(1),
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = cells.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** Release and package version of `uname -a`: "6.1.0-42-cloud-amd64, Debian 6.1.176-1". */
function shortUname(uname: string | undefined): string {
  if (uname === undefined) return "-";
  const version = /Debian \S+/.exec(uname)?.[0];
  return [uname.split(" ")[2], ...(version ? [version] : [])].join(", ");
}
