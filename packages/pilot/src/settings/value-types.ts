import { parseGoDuration } from "./go-duration.ts";

/** What a setting may hold, by the name of its type. A duration is in milliseconds, Infinity for "never". */
export interface SettingTypes {
  string: string;
  bool: boolean;
  int: number;
  uint16: number;
  float: number;
  duration: number;
  list: readonly string[];
  map: Readonly<Record<string, string>>;
}
export type SettingType = keyof SettingTypes;

/**
 * Parses one value as the Go programs of Pilot's line do.
 * @throws Error saying what would be right
 */
export function parseValue<Type extends SettingType>(type: Type, text: string): SettingTypes[Type] {
  return parsers[type](text);
}

const parsers: { readonly [Type in SettingType]: (text: string) => SettingTypes[Type] } = {
  string: (text) => text,
  bool: parseBool,
  int: (text) => parseInteger(text, -(2 ** 53 - 1), 2 ** 53 - 1),
  uint16: (text) => parseInteger(text, 0, 65_535),
  float: parseFloatingPoint,
  duration: parseGoDuration,
  list: parseList,
  map: parseMap,
};

function parseBool(text: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new Error(`"${text}" is neither true nor false`);
}

/** Decimal, or with 0x, 0o, 0b or a leading 0 (octal). */
function parseInteger(text: string, least: number, most: number): number {
  const [, sign, digits = ""] = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d+)$/.exec(text) ?? [];
  const octal = /^0[0-7]+$/.test(digits);
  const size = digits === "" ? Number.NaN : Number(octal ? `0o${digits.slice(1)}` : digits);
  const value = sign === "-" ? -size : size;
  if (Number.isNaN(value) || value < least || value > most) {
    throw new Error(`"${text}" is no whole number from ${least} to ${most}`);
  }
  return value + 0;
}

function parseFloatingPoint(text: string): number {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw new Error(`"${text}" is no number`);
  return Number(text);
}

/** Comma-separated; a part with a comma in it stands in double quotes, as in CSV. */
function parseList(text: string): readonly string[] {
  if (text === "") return [];
  const parts = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/gy)];
  const length = parts.reduce((total, [part]) => total + part.length, 0);
  if (length !== text.length) throw new Error(`"${text}" has a quotation mark out of place`);
  return parts.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}

function parseMap(text: string): Readonly<Record<string, string>> {
  // Go's library reads text with one "=" as one pair, so that its value may hold commas.
  const pairs = text.split("=").length === 2 ? [text.replace(/^"(.*)"$/s, "$1")] : parseList(text);
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 0) throw new Error(`"${pair}" is no pair; use name=value,name=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
