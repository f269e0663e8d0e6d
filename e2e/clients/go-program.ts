import { join } from "node:path";
import { command } from "../world/command.ts";

/** Builds a Go program of one folder, which needs nothing but Go's own library. @returns its path. */
export async function goProgram(folder: string, name: string): Promise<string> {
  const program = join(import.meta.dirname, "build", name);
  await command("go", ["build", "-C", folder, "-o", program, "."]);
  return program;
}
