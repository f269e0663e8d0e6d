import { styleText } from "node:util";

/** One pod's part of the traffic, by what was answered and by what the kernel counted. */
export interface SpreadRow {
  readonly pod: string;
  readonly answers: number;
  readonly counted: number;
}

const barWidth = 30;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of `share` (0 to 1) of the full width, exact to an eighth of a character. */
export function bar(share: number, width = barWidth): string {
  const parts = Math.round(share * width * 8);
  return "█".repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? "");
}

/** Escape sequences only where somebody looks (styleText asks the terminal and NO_COLOR). */
const style = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout });

export const bold = (text: string): string => style("bold", text);
export const dim = (text: string): string => style("dim", text);

const colors: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  v1: "blue",
  v2: "yellow",
  v3: "magenta",
};

/** Who answered, with bars, and beside it what the maps say. */
export function spreadTable(rows: readonly SpreadRow[]): string {
  const most = Math.max(1, ...rows.map(({ answers }) => answers));
  const name = Math.max(...rows.map(({ pod }) => pod.length));
  const head = `   ${" ".repeat(name)}${"answers".padStart(9)}  ${" ".repeat(barWidth)}  in the kernel's maps`;
  const lines = rows.map(({ pod, answers, counted }) => {
    const drawn = style(colors[pod.split("-").at(-1) ?? ""] ?? "white", bar(answers / most).padEnd(barWidth));
    const verdict = answers === counted ? "" : "   differs";
    return `   ${pod.padEnd(name)}${String(answers).padStart(9)}  ${drawn}${String(counted).padStart(22)}${verdict}`;
  });
  return `${[dim(head), ...lines].join("\n")}\n`;
}

export const indent = (text: string): string => text.trimEnd().replaceAll(/^(?=.)/gm, "   ");

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}
