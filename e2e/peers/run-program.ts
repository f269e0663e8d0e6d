import { spawn } from "node:child_process";
import { searchPath } from "../world/command.ts";
import { ownerVariable, runFolder, runOwner } from "./run-folder.ts";

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to its standard input. */
  readonly input?: string;
  /** 120,000 by default; it is killed then. */
  readonly timeoutMs?: number;
  /** Where it starts; this process's folder of peers if left out. */
  readonly workingFolder?: string;
}

export interface RunResult {
  /** The exit code; undefined if it was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a peer's program to its end, with none of this process's environment.
 * @throws Error if it cannot be started; another exit code than 0 is the caller's to judge.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { environment = {}, input = "", timeoutMs = 120_000, workingFolder }: RunOptions = {},
): Promise<RunResult> {
  const folder = await runFolder();
  const owner = { PATH: searchPath, HOME: folder, TMPDIR: folder, [ownerVariable]: runOwner };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: workingFolder ?? folder,
      env: { ...owner, ...environment },
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => reject(new Error(`${program}: ${error.message}`)));
    child.once("close", (code) => resolve({ code: code ?? undefined, stdout, stderr }));
    // A program that ends before it has read everything has said why in its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/**
 * Like {@link runProgram}.
 * @returns what it wrote to standard output
 * @throws Error with the call and what it said, if it did not end with 0.
 */
export async function runProgramOrThrow(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, options);
  if (code === 0) return stdout;
  const how = code === undefined ? "was killed" : `ended with ${code}`;
  throw new Error(`${[program, ...args].join(" ")} ${how}: ${(stderr || stdout).trim()}`);
}
