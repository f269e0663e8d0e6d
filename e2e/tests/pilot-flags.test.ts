// The flags and variables that the real istiod says it has, against those that our pilot-discovery knows.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { requirePeer } from "../peers/peer-cache.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { peerTest } from "../peers/peer-test.ts";
import { runProgramOrThrow } from "../peers/run-program.ts";
import { controlPlaneProgram } from "../world/workspace.ts";

interface Setting {
  readonly type: string;
  readonly default: string;
}

/** Ours, by name: flags with their dashes. */
async function ourSettings(): Promise<ReadonlyMap<string, Setting>> {
  const folder = await peerRunFolder("collateral");
  await runProgramOrThrow(process.execPath, [controlPlaneProgram, "collateral", "--outputDir", folder]);
  const page = await readFile(join(folder, "pilot-discovery.md"), "utf8");
  const rows = page.matchAll(/^\| `([^`]+)` \| (\w+) \| (?:`([^`]*)`)? \| ([^|]*) \|/gm);
  return new Map(
    [...rows]
      .filter(([, , , , ages = ""]) => ages.includes("istiod"))
      .map(([, name = "", type = "", initial = ""]) => [name, { type, default: initial }]),
  );
}

/** Types as Go's library names them → as ours are named; a switch has none. */
const flagTypes: Readonly<Record<string, string>> = {
  string: "string",
  strings: "list",
  stringArray: "list",
  stringToString: "map",
  int: "int",
  Level: "int",
  uint16: "uint16",
  float32: "float",
  duration: "duration",
  "": "bool",
};

function parseHelp(help: string): ReadonlyMap<string, Setting> {
  const lines = help.matchAll(/^ {2,}(?:-\w, )?--([\w-]+)(?: (\w+))? {2,}(.*(?:\n {20,}\S.*)*)/gm);
  return new Map(
    [...lines]
      .filter(([, name]) => name !== "help")
      .map(([, name = "", goType = "", text = ""]) => {
        const type = flagTypes[goType] ?? `unknown type ${goType}`;
        const [, initial = type === "bool" ? "false" : ""] = /\(default "?(.*?)"?\)\s*$/s.exec(text) ?? [];
        const isMany = type === "list" || type === "map";
        return [
          `--${name}`,
          { type, default: defaultOf(name, isMany ? initial.replace(/^\[|\]$/g, "") : initial) },
        ];
      }),
  );
}

/** A flag without a word about its default has the type's zero. */
const defaultOf = (name: string, text: string): string => (name === "vklog" && text === "" ? "0" : text);

peerTest(["istiod"], "every flag of istiod's is known, with its type and default", async () => {
  const { program } = await requirePeer("istiod");
  const theirs = parseHelp(await runProgramOrThrow(program, ["discovery", "--help"]));
  expect(theirs.size).toBeGreaterThan(30);
  const ours = await ourSettings();
  const known = new Map([...ours].filter(([name]) => name.startsWith("--")));
  for (const [name, setting] of theirs) expect({ name, ...known.get(name) }).toEqual({ name, ...setting });
});

const variableTypes: Readonly<Record<string, readonly string[]>> = {
  String: ["string", "list"],
  Boolean: ["bool"],
  Integer: ["int"],
  "Floating-Point": ["float"],
  "Time Duration": ["duration"],
};

/** "24h0m0s" and "24h", "1" and "1.0" are the same. */
const plain = (text: string): string => text.replace(/^(\d+h)0m0s$/, "$1").replace(/^(\d+)\.0$/, "$1");

peerTest(
  ["istiod"],
  "every variable that we take for istiod's is one, with its type and default",
  async () => {
    const { program } = await requirePeer("istiod");
    const folder = await peerRunFolder("collateral");
    await runProgramOrThrow(program, ["collateral", "--html_fragment_with_front_matter", "-o", folder]);
    const page = await readFile(join(folder, "pilot-discovery.html"), "utf8");
    const rows = page.matchAll(
      /<code>([A-Z][A-Z0-9_]+)<\/code><\/a><\/td>\s*<td>([^<]*)<\/td>\s*<td><code>([^<]*)</g,
    );
    const theirs = new Map(
      [...rows].map(([, name = "", type = "", initial = ""]) => [name, { type, initial }]),
    );
    expect(theirs.size).toBeGreaterThan(100);
    // Read by Kubernetes' client library, and by the flag beside it.
    const unlisted = new Set(["KUBECONFIG"]);
    const ours = [...(await ourSettings())].filter(([name]) => !name.startsWith("--") && !unlisted.has(name));
    expect(ours.length).toBeGreaterThan(70);
    for (const [name, { type, default: initial }] of ours) {
      const { type: theirType = "", initial: theirDefault = "" } = theirs.get(name) ?? {};
      expect({ name, type: variableTypes[theirType] ?? [] }).toEqual({
        name,
        type: expect.arrayContaining([type]),
      });
      expect({ name, initial: plain(initial) }).toEqual({ name, initial: plain(theirDefault) });
    }
  },
);
