// What the programs of long runs have in common: options, help, and what they need of the machine.
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { missingForKernel } from "./world/requirements.ts";

type Options = Readonly<
  Record<string, ParseArgsOptionsConfig[string] & { readonly default: string | boolean }>
>;
/** What was given for options, or their defaults. */
export type Given<Of extends Options> = {
  readonly [Name in keyof Of]: Of[Name]["type"] extends "boolean" ? boolean : string;
};

export interface LongRun<Of extends Options> {
  /** Whole, with a line for each option and for --help. */
  readonly usage: string;
  readonly options: Of;
  /** @returns whether all holds. @throws WrongUsage */
  readonly run: (given: Given<Of>) => Promise<boolean>;
}

/** Arguments that mean nothing. */
export class WrongUsage extends Error {}

/**
 * Runs it with the process's arguments, on a machine whose kernel can.
 * @returns the exit code: 0 if all holds, 2 for wrong usage, else 1
 */
export async function longRun<Of extends Options>({ usage, options, run }: LongRun<Of>): Promise<number> {
  try {
    const given = argumentsOf(options);
    if (given === "help") {
      process.stdout.write(usage);
      return 0;
    }
    const missing = await missingForKernel();
    if (missing.length > 0) {
      process.stderr.write(`this machine lacks ${missing.join("; ")}\n`);
      return 1;
    }
    return (await run(given)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    return 2;
  }
}

function argumentsOf<Of extends Options>(options: Of): Given<Of> | "help" {
  const help = { type: "boolean", short: "h", default: false } as const;
  try {
    const { values } = parseArgs({ options: { ...options, help } });
    return (values as { help: boolean }).help ? "help" : (values as unknown as Given<Of>);
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}

/** @throws WrongUsage if the text of the option is no whole number from 1 on */
export function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new WrongUsage(`--${option}: a whole number from 1 to 999999999, found ${JSON.stringify(text)}`);
  return Number(text);
}
