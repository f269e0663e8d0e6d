import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { discoveryEnvironment } from "../settings/environment/environment.ts";
import { accepted, honoured, newAges, type SettingTable } from "../settings/setting.ts";
import { flagValues } from "../settings/values.ts";
import { type Command, operandsOf } from "./command.ts";
import { completionScript } from "./completion.ts";

const flags = {
  outputDir: honoured("string", ".", newAges, "directory that the files are written to", { short: "o" }),
  markdown: honoured("bool", "false", newAges, "a reference page; also if no kind of file is named"),
  bash: honoured("bool", "false", newAges, "completion for bash"),
  zsh: honoured("bool", "false", newAges, "completion for zsh"),
  all: honoured("bool", "false", newAges, "every kind of file"),
  html_fragment_with_front_matter: accepted("bool", "false", newAges, "a reference page in HTML"),
  man: accepted("bool", "false", newAges, "man pages"),
  yaml: accepted("bool", "false", newAges, "a reference in YAML"),
};

/** `collateral`: files about this program. @param commands those that are described */
export function collateralCommand(commands: () => readonly Command[]): Command {
  return {
    name: "collateral",
    summary: "Writes a reference page of all flags and environment variables, and completion scripts.",
    operands: "",
    flagGroups: { Flags: flags },
    examples: ["pilot-discovery collateral --outputDir /tmp", "pilot-discovery collateral --all"],
    run: async (args, { out }) => {
      operandsOf(args, "pilot-discovery collateral", 0, 0);
      const { outputDir: folder, all, ...wanted } = flagValues(flags, args.parsed.values, {});
      const files: [string, string][] = [];
      if (wanted.bash || all) files.push(["pilot-discovery.bash", completionScript("bash", commands())]);
      if (wanted.zsh || all) files.push(["_pilot-discovery", completionScript("zsh", commands())]);
      if (wanted.markdown || all || files.length === 0)
        files.push(["pilot-discovery.md", reference(commands())]);
      await mkdir(folder, { recursive: true });
      for (const [name, text] of files) {
        await writeFile(join(folder, name), text);
        out(`${join(folder, name)}\n`);
      }
      return 0;
    },
  };
}

function reference(commands: readonly Command[]): string {
  const described = commands.flatMap(({ name, summary, operands, flagGroups }) => [
    `## pilot-discovery ${[name, operands].filter(Boolean).join(" ")}`,
    summary,
    ...Object.entries(flagGroups).flatMap(([heading, table]) => [`### ${heading}`, settings(table, "--")]),
  ]);
  return [
    "# pilot-discovery",
    ...described,
    "## Environment variables",
    settings(discoveryEnvironment, ""),
    "",
  ].join("\n\n");
}

function settings(table: SettingTable, prefix: string): string {
  const rows = Object.entries(table).map(([name, { type, default: initial, ages, status, meaning }]) => {
    const cells = [
      `\`${prefix}${name}\``,
      type,
      initial === "" ? "" : `\`${initial}\``,
      ages.join(", "),
      status,
      meaning,
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return [
    "| Name | Type | Default | Known from | Here | Meaning |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
