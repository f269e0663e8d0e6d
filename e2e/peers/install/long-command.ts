import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { lastLines } from "../../kernels/exec.ts";

/** Tells the person at the terminal. */
export type Say = (line: string) => void;

export interface LongCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Where everything it writes is kept, in install.log. */
  readonly logFolder: string;
  readonly say: Say;
  /** Sees each line it writes. */
  readonly onLine?: (line: string) => void;
  /** What is going on, for the line that is said every ten seconds. */
  readonly progress: () => string;
}

/** Between two lines of progress. */
const progressEveryMs = 10_000;

/**
 * Runs a build or download to its end with the lowest priority, and says every ten seconds how far it is.
 * @throws Error with the call and its last lines if it does not end with 0.
 */
export async function runLongCommand(command: LongCommand): Promise<void> {
  const logFile = join(command.logFolder, "install.log");
  const log = openSync(logFile, "a");
  const started = performance.now();
  const timer = setInterval(() => command.say(`${elapsed(started)}: ${command.progress()}`), progressEveryMs);
  const said: string[] = [];
  try {
    const how = await runLines(command, (line) => {
      writeSync(log, `${line}\n`);
      said.push(line);
      if (said.length > 50) said.shift();
      command.onLine?.(line);
    });
    if (how === "code 0") return;
    const call = [command.file, ...command.args].join(" ");
    throw new Error(
      `${call} ended with ${how}; its last lines, of ${logFile}:\n${lastLines(said.join("\n"), 8)}`,
    );
  } finally {
    clearInterval(timer);
    closeSync(log);
  }
}

/** Resolves with "code N", "signal NAME" or why it could not be started. */
function runLines(command: LongCommand, onLine: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    // It must not go on alone, with nobody left to record what it made.
    const args = ["--pdeathsig", "KILL", "--", "nice", "-n", "19", command.file, ...command.args];
    const child = spawn("setpriv", args, {
      cwd: command.cwd,
      env: command.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", onLine);
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === null ? `signal ${signal}` : `code ${code}`));
  });
}

/** Time since a reading of performance.now(), as "2 min 5 s". */
export function elapsed(since: number): string {
  return duration((performance.now() - since) / 1000);
}

/** Seconds as "2 min 5 s", or "5 s" below a minute. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
