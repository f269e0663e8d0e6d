import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** apt, dpkg and depmod live in sbin directories, which an ordinary user's PATH leaves out. */
const systemDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const searchPath = [...(process.env.PATH ?? "").split(delimiter), ...systemDirectories].filter(
  (d) => d !== "",
);

export interface ExecOptions {
  /** Working directory; the caller's by default. */
  cwd?: string;
  /** Variables added to the caller's environment. */
  env?: Record<string, string>;
}

/** A tool ended with another exit code than 0; the message names the call and the last lines it wrote. */
export class ToolError extends Error {
  readonly exitCode: number | undefined;
  constructor(message: string, exitCode: number | undefined) {
    super(message);
    this.name = "ToolError";
    this.exitCode = exitCode;
  }
}

/** Runs a program to its end and returns what it wrote to stdout, as bytes. */
export function execBytes(file: string, args: readonly string[], options: ExecOptions = {}): Promise<Buffer> {
  const env = { ...process.env, PATH: searchPath.join(delimiter), LC_ALL: "C", ...options.env };
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { env, encoding: "buffer", maxBuffer: 256 << 20, ...(options.cwd ? { cwd: options.cwd } : {}) },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const said = lastLines(stderr.toString() || stdout.toString() || error.message, 8);
        const code = typeof error.code === "number" ? error.code : undefined;
        reject(
          new ToolError(`${file} ${args.join(" ")} failed (${error.code ?? error.signal}): ${said}`, code),
        );
      },
    );
  });
}

/** Like {@link execBytes}, as text. */
export async function exec(
  file: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  return (await execBytes(file, args, options)).toString();
}

/** The full path of a program, looked for in PATH and the system's sbin directories; undefined if there is none. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of searchPath) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** The last `count` lines of a text, without blank ones. */
export function lastLines(text: string, count: number): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-count).join("\n");
}
