import { spawn } from "node:child_process";

/** Where an ordinary user's PATH does not look for ip and mount. */
const systemFolders = "/usr/local/sbin:/usr/sbin:/sbin";

export const searchPath = `${process.env["PATH"] ?? "/usr/bin:/bin"}:${systemFolders}`;

/**
 * Runs a program to its end.
 * @param input is written to its standard input
 * @returns what it wrote to standard output
 * @throws Error with the call, the exit code and what it said, if it did not end with 0.
 */
export function command(file: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, PATH: searchPath } });
    let output = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.once("error", (error) => reject(new Error(`${file}: ${error.message}`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(new Error(`${[file, ...args].join(" ")} ended with ${code ?? signal}: ${complaint.trim()}`));
    });
    // A program that ends before it has read everything has said why in its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
