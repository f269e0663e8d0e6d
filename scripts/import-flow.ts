import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * The packages from left to right, as data flows. A package may import what stands in an earlier row, and nothing of
 * its own row or of a later one. Tests may also import what stands to the right.
 */
export const flow: readonly (readonly string[])[] = [
  ["@keelson/protos", "@envoyproxy/xds-protos", "bpf-maps-native", "@keelson/bpf"],
  ["@keelson/model"],
  ["@keelson/sources", "@keelson/xds"],
  ["@keelson/compiler"],
  ["@keelson/bpf-applier", "@keelson/pilot"],
  ["@keelson/cli"],
  ["@keelson/e2e"],
];

/** Parts that may be imported where their package may not: they know messages and bytes, and nothing of the rules these come from. */
const parts = new Map([
  ["@keelson/compiler/automaton", "@keelson/compiler"],
  ["@keelson/compiler/kernel-keys", "@keelson/compiler"],
  ["@keelson/compiler/kernel-routes", "@keelson/compiler"],
]);

/** Exceptions inside the flow: a left neighbour that a package must not know all the same. */
const forbidden: readonly (readonly [string, string, string])[] = [
  [
    "@keelson/compiler",
    "@keelson/sources",
    "the compiler is pure and does not know where resources come from",
  ],
  ["@keelson/bpf-applier", "@keelson/compiler", "a node knows the IR, not the rules it came from"],
  ["@keelson/bpf-applier", "@keelson/sources", "a node knows the IR, not where rules come from"],
];

export interface WorkspacePackage {
  readonly name: string;
  readonly folder: string;
}

export interface WrongImport {
  readonly file: string;
  readonly imports: string;
  readonly why: string;
}

const workspaceFolders = ["protos", "bpf", "e2e"];

export function workspacePackages(root: string): WorkspacePackage[] {
  const folders = [
    ...workspaceFolders,
    ...readdirSync(join(root, "packages")).map((name) => join("packages", name)),
  ];
  return folders.map((folder) => ({
    folder,
    name: (JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { name: string }).name,
  }));
}

function* sourceFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!["node_modules", "dist", "gen", "build"].includes(entry.name)) yield* sourceFiles(path);
    } else if (/\.(ts|mts|js|mjs)$/.test(entry.name) && !entry.name.endsWith(".test.ts")) {
      yield path;
    }
  }
}

/** The packages that a source text imports: static, dynamic and re-exporting imports alike. */
export function importedPackages(text: string): string[] {
  const specifiers = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g);
  return [...specifiers]
    .map(([, specifier = ""]) =>
      parts.has(specifier) ? specifier : /^(@[^/]+\/[^/]+|[^./@][^/]*)/.exec(specifier)?.[1],
    )
    .filter((name) => name !== undefined);
}

const rowOf = (name: string): number => flow.findIndex((row) => row.includes(parts.get(name) ?? name));

/** Why `from` may not import `to`; undefined if it may, or if `to` is no package of the workspace. */
export function whyWrong(from: string, to: string): string | undefined {
  if (from === to || rowOf(to) === -1) return undefined;
  const exception = forbidden.find(([importer, imported]) => importer === from && imported === to);
  if (exception !== undefined) return exception[2];
  if (rowOf(from) === -1) return `${from} has no place in the flow; give it one in scripts/import-flow.ts`;
  if (rowOf(to) >= rowOf(from)) return `${to} does not stand to the left of ${from}`;
  return undefined;
}

/** Every import in the workspace that goes against the flow. */
export function wrongImports(root: string): WrongImport[] {
  return workspacePackages(root).flatMap(({ name, folder }) =>
    [...sourceFiles(join(root, folder))].flatMap((file) =>
      importedPackages(readFileSync(file, "utf8")).flatMap((imports) => {
        const why = whyWrong(name, imports);
        return why === undefined ? [] : [{ file: relative(root, file), imports, why }];
      }),
    ),
  );
}
