import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a test on the kernel says about an operation, by its title. */
export interface Operation {
  name: string;
  /** "BpfMap.lookup", "unpin". */
  calls: string[];
  shows: string;
  /** The test's file, below src. */
  file: string;
  /** The text of the test. */
  body: string;
}

const sources = join(import.meta.dirname, "..");
const beginning = /^kernelTest\(\s*((?:"(?:[^"\\]|\\.)*"\s*\+?\s*)+),/;
const title = /^operation: (?<name>[^(]+) \((?<calls>[^)]+)\) - (?<shows>.+)$/;

/** The operations among the kernel tests of a file. Throws for a title that means to be one and is not. */
export function operationsIn(file: string, source: string): Operation[] {
  return source.split(/^(?=kernelTest\()/m).flatMap((body) => {
    const literals = beginning.exec(body)?.[1]?.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
    const text = literals.map((literal) => String(JSON.parse(literal))).join("");
    if (!text.startsWith("operation:")) return [];
    const { name, calls, shows } = title.exec(text)?.groups ?? {};
    if (name === undefined || calls === undefined || shows === undefined) {
      throw new Error(`${file}: "${text}" is not "operation: <name> (<calls>) - <what is shown>"`);
    }
    return [{ name, calls: calls.split(", "), shows, file, body }];
  });
}

/** In the order of the README's table: from an object's life over attachments and maps to what holds for all. */
const files = [
  "object",
  "cgroup",
  "sockmap",
  "clsact",
  "map",
  "map-batch",
  "typed-map",
  "ring-buffer",
  "namespace-sockets",
  "kernel",
  "event-loop",
  "close",
  "errors",
].map((name) => `${name}.test.ts`);

/** All operations that a test on the kernel stands for. */
export function readOperations(): Operation[] {
  const others = readdirSync(sources).filter((name) => name.endsWith(".test.ts") && !files.includes(name));
  return [...files, ...others.toSorted()].flatMap((file) =>
    operationsIn(file, readFileSync(join(sources, file), "utf8")),
  );
}
