import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../world/command.ts";

const sources = join(import.meta.dirname, "native");
const output = join(import.meta.dirname, "build");

/** When the newest of these files changed, in ms since 1970; 0 if one of them is not there. */
async function newest(...files: string[]): Promise<number> {
  const times = files.map((file) =>
    stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  );
  const found = await Promise.all(times);
  return found.includes(0) ? 0 : Math.max(...found);
}

/**
 * Compiles a C program of the folder native/, unless it is there and newer than every source.
 * @returns the program's path.
 * @throws Error with what the compiler says.
 */
export async function nativeProgram(name: string): Promise<string> {
  const program = join(output, name);
  const files = (await readdir(sources)).map((file) => join(sources, file));
  if ((await newest(program)) > (await newest(...files))) return program;
  await mkdir(output, { recursive: true });
  const flags = "-std=gnu11 -O2 -Wall -Wextra -Werror".split(" ");
  const beside = `${program}.${process.pid}`;
  await command("clang", [...flags, join(sources, `${name}.c`), "-o", beside]);
  await rename(beside, program);
  return program;
}
