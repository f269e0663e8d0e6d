import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeHash } from "./code-hash.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keelson-code-"));
  write("relay/package.json", manifest({ private: true, dependencies: { own: "1", theirs: "1" } }));
  write("relay/dist/main.js", "1");
  write("own/package.json", manifest({ private: true, dependencies: {} }));
  write("own/dist/deep/index.js", "1");
  write("own/build/addon.node", "1");
  write("own/build/descriptor-holder", "1");
  write("theirs/package.json", manifest({ version: "1.0.0" }));
  write("theirs/index.js", "1");
  mkdirSync(join(folder, "relay/node_modules"));
  for (const name of ["own", "theirs"])
    symlinkSync(`../../${name}`, join(folder, "relay/node_modules", name));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

const manifest = (fields: object): string => JSON.stringify({ name: "a", version: "0", ...fields });
const hash = (): string => codeHash(join(folder, "relay/package.json"));

test.each([
  ["its own files", "relay/dist/main.js", "2"],
  ["another file", "relay/dist/other.js", "1"],
  ["files of a package of ours", "own/dist/deep/index.js", "2"],
  ["an addon of it", "own/build/addon.node", "2"],
  ["a program of it", "own/build/descriptor-holder", "2"],
  ["the version of a published package", "theirs/package.json", manifest({ version: "1.0.1" })],
])("another code: %s", (_, file, text) => {
  const before = hash();
  expect(hash()).toBe(before);
  write(file, text);
  expect(hash()).not.toBe(before);
});

test.each(["relay/dist/main.test.js", "relay/src/main.ts"])("the same code: with %s", (file) => {
  const before = hash();
  write(file, "1");
  expect(hash()).toBe(before);
});

test("a package that is not there is named", () => {
  rmSync(join(folder, "relay/node_modules/theirs"));
  expect(hash).toThrow("theirs");
});
