import type { ParsedFlags } from "../settings/parse-flags.ts";
import type { SettingTable } from "../settings/setting.ts";

/** Where a command writes to, and what it reads. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** A subcommand of `pilot-discovery`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What stands after the command's name, beside flags: "METHOD PATH [BODY]". */
  readonly operands: string;
  /** Flags in groups, each under its heading. */
  readonly flagGroups: Readonly<Record<string, SettingTable>>;
  /** It reports unknown and wrong flags itself. */
  readonly readsItsOwnFlags?: true;
  /** One a line. */
  readonly examples: readonly string[];
  /** @returns what the process ends with; undefined: it goes on. @throws UsageError, Error */
  run(args: CommandArguments, surroundings: Surroundings): Promise<number | undefined>;
}

export interface CommandArguments {
  /** As they stand after the command's name. */
  readonly raw: readonly string[];
  readonly parsed: ParsedFlags;
}

/** The command line is wrong; the text says what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What Pilot's programs end with when the command line is wrong, or they cannot start. */
export const failure = 255;

/** @throws UsageError unless the number of operands is within the bounds */
export function operandsOf(
  { parsed }: CommandArguments,
  usage: string,
  least: number,
  most: number,
): string[] {
  const operands = parsed.positionals.map(({ text }) => text);
  if (operands.length < least || operands.length > most) {
    throw new UsageError(`${operands.length} arguments are given; it is used as ${usage}`);
  }
  return operands;
}
