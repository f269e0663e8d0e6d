import type { Setting, SettingTable } from "../settings/setting.ts";
import type { Command } from "./command.ts";

const width = 100;

export function programHelp(commands: readonly Command[]): string {
  const names = Math.max(...commands.map(({ name }) => name.length));
  return [
    "Keelson's control plane: reads services and rules, and streams what follows from them to proxies and nodes.",
    "",
    "Usage: pilot-discovery COMMAND [flags]",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(names)}  ${summary}`),
    "",
    "pilot-discovery COMMAND --help shows a command's flags and examples.",
    "",
  ].join("\n");
}

export function commandHelp({ name, summary, operands, flagGroups, examples }: Command): string {
  const groups = Object.entries(flagGroups).flatMap(([heading, table]) => [
    "",
    `${heading}:`,
    ...Object.entries(table).flatMap(([flag, setting]) => flagHelp(flag, setting)),
  ]);
  const usage = ["pilot-discovery", name, operands, groups.length === 0 ? "" : "[flags]"];
  return [
    summary,
    "",
    `Usage: ${usage.filter(Boolean).join(" ")}`,
    ...groups,
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
    ...(withoutEffect(flagGroups)
      ? ["", "Flags marked * are known from Pilot; here they change nothing."]
      : []),
    "",
  ].join("\n");
}

const withoutEffect = (groups: Readonly<Record<string, SettingTable>>): boolean =>
  Object.values(groups).some((table) => Object.values(table).some(({ status }) => status === "accepted"));

function flagHelp(name: string, { type, short, status, meaning, ...setting }: Setting): string[] {
  const mark = status === "accepted" ? "*" : " ";
  const value = type === "bool" ? "" : ` ${type}`;
  const head = `${mark} ${short === undefined ? "    " : `-${short}, `}--${name}${value}`;
  const initial =
    setting.default === "" || setting.default === "false" ? "" : ` (default ${setting.default})`;
  return [head, ...wrap(`${meaning}${initial}`, width - 10).map((line) => `          ${line}`)];
}

/** Breaks a text at blanks into lines of at most `columns` characters, where it can. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
