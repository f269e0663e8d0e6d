import { Option } from "commander";
import { stringify } from "yaml";
import { type Paint, paintFor } from "./paint.ts";
import { printable } from "./printable.ts";

const outputFormats = ["text", "json", "yaml"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export const outputOption = (): Option =>
  new Option("-o, --output <format>", "how to print what was found").choices(outputFormats).default("text");

/**
 * A command's result as it is printed, with its final line end.
 * @param value holds nothing but what JSON knows
 * @param toText the same for people, without its final line end
 */
export function render<T>(
  value: T,
  format: OutputFormat,
  paint: Paint,
  toText: (value: T, paint: Paint) => string,
): string {
  if (format === "json") return `${JSON.stringify(value, undefined, 2)}\n`;
  if (format === "yaml") return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
  return `${toText(printable(value), paint)}\n`;
}

/** Renders to stdout, with colours where it is a terminal. */
export function print<T>(value: T, format: OutputFormat, toText: (value: T, paint: Paint) => string): void {
  process.stdout.write(render(value, format, paintFor(process.stdout), toText));
}
