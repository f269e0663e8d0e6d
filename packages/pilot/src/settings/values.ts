import type { SettingTable } from "./setting.ts";
import { parseValue, type SettingTypes } from "./value-types.ts";

/** The values of all settings of a table, by name. */
export type Values<Table extends SettingTable> = {
  readonly [Name in keyof Table]: SettingTypes[Table[Name]["type"]];
};

export interface EnvironmentValues<Table extends SettingTable> {
  readonly values: Values<Table>;
  /** Names of those that are set. */
  readonly given: ReadonlySet<string>;
  /** What is wrong with those that are set; the default holds for them. */
  readonly problems: readonly string[];
}

/** Reads the variables of the table. One that is set to nothing counts as not set. */
export function readEnvironment<Table extends SettingTable>(
  table: Table,
  environment: NodeJS.ProcessEnv,
): EnvironmentValues<Table> {
  const given = new Set<string>();
  const problems: string[] = [];
  const values = Object.entries(table).map(([name, { type, default: initial }]) => {
    const text = environment[name] ?? "";
    if (text !== "") given.add(name);
    try {
      return [name, parseValue(type, text === "" ? initial : text)];
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}; ${initial || "nothing"} is used`);
      return [name, parseValue(type, initial)];
    }
  });
  return { values: Object.fromEntries(values) as Values<Table>, given, problems };
}

/** @returns what each flag stands for: what was given, else what its variable says, else its default. */
export function flagValues<Table extends SettingTable>(
  table: Table,
  given: ReadonlyMap<string, unknown>,
  environment: Readonly<Record<string, unknown>>,
): Values<Table> {
  const values = Object.entries(table).map(([name, { type, default: initial, defaultFrom }]) => {
    if (given.has(name)) return [name, given.get(name)];
    if (defaultFrom !== undefined) return [name, environment[defaultFrom]];
    return [name, parseValue(type, initial)];
  });
  return Object.fromEntries(values) as Values<Table>;
}
