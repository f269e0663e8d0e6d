import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { text } from "node:stream/consumers";
import { type FileContent, readConfigFile } from "@keelson/sources";
import { exitCodes, UserError } from "../exit-codes.ts";
import { readFailure } from "../read-failure.ts";

/** What one file says. */
export interface ReadFile {
  /** As the user named it, or "<stdin>". */
  readonly name: string;
  readonly content: FileContent;
}

const standardInput = "<stdin>";

/** What counts as configuration in a directory; a file that is named itself may have any name. */
const extensions = new Set([".yaml", ".yml", ".json"]);

/** A link that leads back to a parent ends there. */
const maximumDepth = 8;

/**
 * Reads files, directories with what is below them (as a control plane reads its directory: names that begin with a
 * dot are left out, links are followed) and, for "-", the standard input. What is named twice is read once.
 * @throws UserError naming all that cannot be read
 */
export async function readInputs(inputs: readonly string[]): Promise<ReadFile[]> {
  const failures: string[] = [];
  const files = new Map<string, ReadFile>();
  for (const input of inputs) {
    try {
      for (const path of input === "-" ? [input] : await filesAt(input)) {
        const key = path === "-" ? path : await identity(path);
        if (!files.has(key)) files.set(key, await read(path));
      }
    } catch (error) {
      failures.push(readFailure(input, error));
    }
  }
  if (failures.length > 0) throw new UserError(failures.join("\nkeelson: "), exitCodes.usage);
  return [...files.values()];
}

async function read(path: string): Promise<ReadFile> {
  const name = path === "-" ? standardInput : path;
  const written = path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  return { name, content: readConfigFile(written, name) };
}

async function filesAt(input: string): Promise<string[]> {
  if (!(await stat(input)).isDirectory()) return [input];
  const files = await walk(input, maximumDepth);
  if (files.length === 0) {
    throw new Error(`there is no file in it that ends in ${[...extensions].join(", ")}`);
  }
  return files.sort();
}

async function walk(directory: string, depth: number): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith("."));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const entry = await stat(path).catch(() => undefined);
      if (entry?.isDirectory()) return depth > 1 ? walk(path, depth - 1) : [];
      return entry?.isFile() && extensions.has(extname(name)) ? [path] : [];
    }),
  );
  return found.flat();
}

/** One file has one, whatever its path. */
async function identity(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}
