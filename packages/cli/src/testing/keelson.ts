import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { onTestFinished } from "vitest";

const builtProgram = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs the built program to its end. */
export async function keelson(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return finished(startKeelson(args, options), options.stdin);
}

/** Starts the built program, which the test ends if it has not ended by then. */
export function startKeelson(args: readonly string[], { env, cwd }: RunOptions = {}): ChildProcess {
  return startProcess(process.execPath, [builtProgram, ...args], {
    ...(env && { env }),
    ...(cwd && { cwd }),
  });
}

/** Runs the built program to its end on a terminal of its own (script of util-linux), which takes its errors, too. */
export async function keelsonOnTerminal(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  const command = [process.execPath, builtProgram, ...args].map((word) => `'${word}'`).join(" ");
  const child = startProcess("script", ["-qec", command, "/dev/null"], {
    env: { PATH: process.env["PATH"], TERM: "xterm-256color", ...env },
  });
  return finished(child);
}

function startProcess(command: string, args: readonly string[], options: RunOptions): ChildProcess {
  const child = spawn(command, args, { stdio: "pipe", ...options });
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  });
  return child;
}

async function finished(child: ChildProcess, stdin = ""): Promise<Finished> {
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  child.stdin?.end(stdin);
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
  return { code, stdout, stderr };
}

const textOf = async (stream: NodeJS.ReadableStream | null): Promise<string> =>
  stream === null ? "" : text(stream);

/** A directory with these files, by path, removed when the test is over. */
export function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), "keelson-cli-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

export const hasColours = (output: string): boolean => stripVTControlCharacters(output) !== output;
