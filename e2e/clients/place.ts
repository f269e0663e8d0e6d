import { once } from "node:events";
import { RunningProcess } from "../world/running-process.ts";

/** Where a caller runs. */
export interface Place {
  readonly namespace: string;
  readonly cgroup: string;
  readonly logFile: string;
  /** For its files. */
  readonly folder: string;
}

/** Runs a caller's program to its end. @returns what it wrote. @throws Error with its last words if it failed. */
export async function runThere(
  { namespace, cgroup, logFile, folder }: Place,
  command: readonly [string, ...string[]],
  input = "",
): Promise<string> {
  const program = new RunningProcess({
    title: command[0],
    command,
    namespace,
    cgroup,
    logFile,
    workingFolder: folder,
    pipeOutput: true,
  });
  let output = "";
  program.child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  program.child.stdin?.end(input);
  // It comes after the last of the output.
  await once(program.child, "close");
  const how = await program.ended;
  if (how === "code 0") return output;
  throw new Error(`${command.join(" ")} ended with ${how}: ${await program.lastLines(3)}`);
}
