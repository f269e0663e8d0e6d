import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cases } from "./cases/index.ts";
import type { Variant } from "./peer/messages.ts";

/** Where istiod is known to differ. */
export const istiodDifferences = join(import.meta.dirname, "istiod-differences.txt");

/** Cases that a server is known not to pass, with the reason: "case variant" → reason. */
export type Differences = ReadonlyMap<string, string>;

export const differenceKey = (name: string, variant: Variant): string => `${name} ${variant}`;

/**
 * Reads a list of differences: a line for each, "case variant: reason"; "case: reason" for all its variants. Empty lines
 * and those that begin with # mean nothing.
 * @throws Error that names the line, if it has another form or names no case
 */
export function parseDifferences(text: string, file: string): Differences {
  const found = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, told, reason] = /^([\w-]+)(?: (sotw|delta))?: (.+)$/.exec(line) ?? [];
    const known = cases.find((each) => each.name === name)?.variants ?? [];
    const meant = known.filter((variant) => told === undefined || told === variant);
    if (name === undefined || reason === undefined || meant.length === 0)
      throw new Error(`${file}:${index + 1}: "${line}" is no "case variant: reason" of a case that there is`);
    for (const variant of meant) found.set(differenceKey(name, variant), reason);
  }
  return found;
}

export async function readDifferences(file: string): Promise<Differences> {
  return parseDifferences(await readFile(file, "utf8"), file);
}
