import { suggest } from "@keelson/model";
import type { SettingTable } from "./setting.ts";
import { parseValue, type SettingTypes } from "./value-types.ts";

export type Value = SettingTypes[keyof SettingTypes];

export interface ParsedFlags {
  /** What was given, by the flag's long name. */
  readonly values: ReadonlyMap<string, Value>;
  /** What is neither a flag nor a flag's value, with its place among the arguments. */
  readonly positionals: readonly { readonly index: number; readonly text: string }[];
  /** Flags that the table does not know, as they were written without a value; each once. */
  readonly unknown: readonly string[];
  /** What is wrong with flags that the table knows. */
  readonly errors: readonly string[];
  /** -h or --help was given. */
  readonly help: boolean;
}

/**
 * Parses arguments as pflag does, the library of Pilot's command lines: `--name value`, `--name=value`, `-n value`,
 * `-n=value`, `-nvalue`, switches as `--name` or `--name=false`, everything after `--` positional. An argument after an
 * unknown flag counts as its value unless it begins with a dash.
 */
export function parseFlags(args: readonly string[], table: SettingTable): ParsedFlags {
  return new FlagParser(args, table).parse();
}

/** "--gprcAddr: unknown flag; did you mean --grpcAddr?" */
export function unknownFlagText(flag: string, table: SettingTable): string {
  const near = flag.startsWith("--") ? suggest(flag.slice(2), Object.keys(table)) : undefined;
  return `${flag}: unknown flag${near === undefined ? "" : `; did you mean --${near}?`}`;
}

class FlagParser {
  private readonly args: readonly string[];
  private readonly table: SettingTable;
  private readonly shorts: ReadonlyMap<string, string>;
  private readonly values = new Map<string, Value>();
  private readonly positionals: { index: number; text: string }[] = [];
  private readonly unknown = new Set<string>();
  private readonly errors: string[] = [];
  private help = false;
  /** Of the argument that is read next. */
  private next = 0;

  constructor(args: readonly string[], table: SettingTable) {
    this.args = args;
    this.table = table;
    this.shorts = new Map(
      Object.entries(table).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name]])),
    );
  }

  parse(): ParsedFlags {
    let onlyPositionals = false;
    while (this.next < this.args.length) {
      const index = this.next;
      const arg = this.args[index] ?? "";
      this.next += 1;
      if (onlyPositionals || !arg.startsWith("-") || arg === "-") this.positionals.push({ index, text: arg });
      else if (arg === "--") onlyPositionals = true;
      else if (arg.startsWith("--")) this.long(arg);
      else this.letters(arg);
    }
    const { values, positionals, errors, help } = this;
    return { values, positionals, unknown: [...this.unknown], errors, help };
  }

  private long(arg: string): void {
    const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === "help") this.help = true;
    else if (name === "" || name.startsWith("-")) this.errors.push(`${arg}: a flag is written --name=value`);
    else this.take(name, `--${name}`, value);
  }

  /** Switches of one letter may stand together: -ab. */
  private letters(arg: string): void {
    for (let at = 1; at < arg.length; at++) {
      const letter = arg.charAt(at);
      const rest = arg.slice(at + 1);
      const name = this.shorts.get(letter);
      if (letter === "h" && name === undefined) {
        this.help = true;
      } else if (name !== undefined && this.table[name]?.type === "bool" && !rest.startsWith("=")) {
        this.set(name, `-${letter}`, "true");
      } else {
        this.take(name ?? "", `-${letter}`, rest === "" ? undefined : rest.replace(/^=/, ""));
        return;
      }
    }
  }

  /** @param value undefined if it is not written in the same argument */
  private take(name: string, written: string, value: string | undefined): void {
    const type = Object.hasOwn(this.table, name) ? this.table[name]?.type : undefined;
    if (type === undefined) {
      this.unknown.add(written);
      if (value === undefined && this.args[this.next]?.startsWith("-") === false) this.next += 1;
    } else if (value !== undefined) {
      this.set(name, written, value);
    } else if (type === "bool") {
      this.set(name, written, "true");
    } else if (this.next < this.args.length) {
      this.set(name, written, this.args[this.next] ?? "");
      this.next += 1;
    } else {
      this.errors.push(`${written}: a value is missing`);
    }
  }

  private set(name: string, written: string, text: string): void {
    const type = this.table[name]?.type;
    if (type === undefined) return;
    try {
      this.values.set(name, merged(this.values.get(name), parseValue(type, text)));
    } catch (error) {
      this.errors.push(`${written}: ${(error as Error).message}`);
    }
  }
}

/** A list or map that is given again goes on; of all else the last one counts. */
function merged(before: Value | undefined, value: Value): Value {
  if (isList(before) && isList(value)) return [...before, ...value];
  if (isMap(before) && isMap(value)) return { ...before, ...value };
  return value;
}

const isList = (value: Value | undefined): value is SettingTypes["list"] => Array.isArray(value);
const isMap = (value: Value | undefined): value is SettingTypes["map"] =>
  typeof value === "object" && !isList(value);
