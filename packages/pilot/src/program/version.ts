import { honoured, istiod, newAges } from "../settings/setting.ts";
import { flagValues } from "../settings/values.ts";
import { buildInfo } from "../version.ts";
import { type Command, operandsOf, UsageError } from "./command.ts";

const flags = {
  short: honoured("bool", "false", newAges, "the version only", { short: "s" }),
  output: honoured("string", "", istiod, "json or yaml", { short: "o" }),
};

/** `version`: what this program was built from. */
export const versionCommand: Command = {
  name: "version",
  summary: "Prints the version.",
  operands: "",
  flagGroups: { Flags: flags },
  examples: ["pilot-discovery version", "pilot-discovery version --output json"],
  run: (args, { out }) => {
    operandsOf(args, "pilot-discovery version", 0, 0);
    const { short, output } = flagValues(flags, args.parsed.values, {});
    out(versionText(short, output));
    return Promise.resolve(0);
  },
};

function versionText(short: boolean, format: string): string {
  const entries = Object.entries(buildInfo);
  if (format === "json") return `${JSON.stringify({ clientVersion: buildInfo }, null, 2)}\n`;
  if (format === "yaml") {
    const lines = entries.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`);
    return `clientVersion:\n${lines.join("")}`;
  }
  if (format !== "") throw new UsageError(`--output: "${format}" is neither json nor yaml`);
  if (short) return `${buildInfo.version}\n`;
  return `${buildInfo.version} (revision ${buildInfo.revision}, ${buildInfo.status}, ${buildInfo.golang_version})\n`;
}
