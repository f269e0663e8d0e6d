import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { flow, importedPackages, whyWrong, workspacePackages, wrongImports } from "./import-flow.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test("no package imports against the flow", () => {
  expect(wrongImports(root)).toEqual([]);
});

test("every package of the workspace has a place in the flow", () => {
  const placed = flow.flat();
  expect(
    workspacePackages(root)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...placed].sort());
});

test("an import to the right is found, with its file", () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-flow-"));
  try {
    for (const name of ["protos", "bpf", "e2e", "packages/model/src"])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "protos/package.json"), '{"name":"@keelson/protos"}');
    writeFileSync(join(folder, "bpf/package.json"), '{"name":"@keelson/bpf"}');
    writeFileSync(join(folder, "e2e/package.json"), '{"name":"@keelson/e2e"}');
    writeFileSync(join(folder, "packages/model/package.json"), '{"name":"@keelson/model"}');
    writeFileSync(join(folder, "packages/model/src/bad.ts"), 'export { x } from "@keelson/compiler";\n');
    expect(wrongImports(folder)).toEqual([
      {
        file: "packages/model/src/bad.ts",
        imports: "@keelson/compiler",
        why: "@keelson/compiler does not stand to the left of @keelson/model",
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['import { a } from "@keelson/model/names";', ["@keelson/model"]],
  ['const m = await import("yaml");', ["yaml"]],
  ['export * from "./near.ts";\nimport "node:fs";', ["node:fs"]],
])("%s", (text, packages) => {
  expect(importedPackages(text)).toEqual(packages);
});

test("a node may not know the compiler, although that stands to its left", () => {
  expect(whyWrong("@keelson/bpf-applier", "@keelson/compiler")).toMatch(/knows the IR/);
  expect(whyWrong("@keelson/bpf-applier", "@keelson/xds")).toBeUndefined();
  const [automaton = ""] = importedPackages('import { matchAutomaton } from "@keelson/compiler/automaton";');
  expect(whyWrong("@keelson/bpf-applier", automaton)).toBeUndefined();
  expect(whyWrong("@keelson/model", automaton)).toMatch(/does not stand to the left/);
});
