import { suggest } from "@keelson/model";
import { parseFlags, unknownFlagText } from "../settings/parse-flags.ts";
import type { SettingTable } from "../settings/setting.ts";
import { collateralCommand } from "./collateral.ts";
import { type Command, failure, type Surroundings, UsageError } from "./command.ts";
import { completionCommand } from "./completion.ts";
import { discoveryCommand } from "./discovery.ts";
import { commandHelp, programHelp } from "./help.ts";
import { requestCommand } from "./request.ts";
import { versionCommand } from "./version.ts";

export const commands: readonly Command[] = [
  discoveryCommand,
  versionCommand,
  requestCommand("127.0.0.1:15014"),
  completionCommand(() => commands),
  collateralCommand(() => commands),
];

const flagsOf = ({ flagGroups }: Command): SettingTable =>
  Object.assign({}, ...Object.values(flagGroups)) as SettingTable;

/** Of all commands: flags may stand before the command's name, too. */
const everyFlag: SettingTable = Object.assign({}, ...commands.map(flagsOf)) as SettingTable;

/**
 * Runs one command line.
 * @returns what the process ends with; undefined if it goes on
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number | undefined> {
  try {
    return await dispatch(args, surroundings);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const hint = error instanceof UsageError ? "\npilot-discovery COMMAND --help shows how it is used" : "";
    surroundings.err(`pilot-discovery: ${text}${hint}\n`);
    return failure;
  }
}

async function dispatch(args: readonly string[], surroundings: Surroundings): Promise<number | undefined> {
  const [first] = parseFlags(args, everyFlag).positionals;
  if (first === undefined) {
    surroundings.out(programHelp(commands));
    return 0;
  }
  const command = commands.find(({ name }) => name === first.text);
  if (command === undefined) throw new UsageError(unknownCommand(first.text));
  const raw = args.toSpliced(first.index, 1);
  const parsed = parseFlags(raw, flagsOf(command));
  if (parsed.help) {
    surroundings.out(commandHelp(command));
    return 0;
  }
  if (command.readsItsOwnFlags !== true) {
    for (const flag of parsed.unknown) {
      surroundings.err(`pilot-discovery: ${unknownFlagText(flag, flagsOf(command))}; ignored\n`);
    }
    if (parsed.errors.length > 0) throw new UsageError(parsed.errors.join("\n"));
  }
  return command.run({ raw, parsed }, surroundings);
}

function unknownCommand(text: string): string {
  const near = suggest(
    text,
    commands.map(({ name }) => name),
  );
  return `unknown command "${text}"${near === undefined ? "" : `; did you mean ${near}?`}`;
}
