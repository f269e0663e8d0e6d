import { short } from "../table.ts";
import type { CellFigures, CellRow } from "./figures.ts";
import type { HttpFigures } from "./report.ts";

const page = { width: 960, margin: 24, heading: 74, footer: 34 };
const panel = { heading: 40, gap: 22 };
/** A bar's line; room for the longest name before the bars, and for figures behind them. */
const line = { height: 26, bar: 15, name: 230, values: 150 };
const longest = page.width - 2 * page.margin - line.name - line.values;

const light = {
  page: "#ffffff",
  text: "#1f2328",
  muted: "#59636e",
  own: "#0072b2",
  other: "#d98200",
  plain: "#8c959f",
};
const dark = {
  page: "#0d1117",
  text: "#f0f6fc",
  muted: "#9198a1",
  own: "#4aa8e8",
  other: "#f0a63a",
  plain: "#656c76",
};

/** Colours are written out, since not every viewer knows CSS variables. */
const colors = (palette: typeof light): string =>
  [
    `.page { fill: ${palette.page} } text { fill: ${palette.text} } .muted { fill: ${palette.muted} }`,
    `.value { stroke: ${palette.page} } .base { stroke: ${palette.muted} } .spread { stroke: ${palette.text} }`,
    `.own { fill: ${palette.own} } .other { fill: ${palette.other} } .plain { fill: ${palette.plain} }`,
  ].join("\n");

const stylesheet = `text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
.title { font-size: 21px; font-weight: 600 }
.heading { font-size: 16px; font-weight: 600 }
.small { font-size: 12px }
.base { stroke-dasharray: 3 4 }
.value { stroke-width: 5; stroke-linejoin: round; paint-order: stroke }
${colors(light)}
@media (prefers-color-scheme: dark) {
${colors(dark)}
}
`;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? "");
/** Tenths of a pixel are enough. */
const n = (value: number): string => String(Math.round(value * 10) / 10);

/** CPU time of a request on one connection with everything on one CPU: a panel of bars for each size, as SVG for light and dark pages. */
export function chartSvg(figures: HttpFigures): string {
  const cells = figures.cells.filter(
    ({ regime, load }) => regime === "pinned" && load.mode === "closed" && load.connections === 1,
  );
  const heights = cells.map(({ rows }) => panel.heading + rows.length * line.height + panel.gap);
  const height = page.heading + heights.reduce((sum, one) => sum + one, 0) + page.footer;
  let y = page.heading;
  const panels = cells.map((cell, i) => {
    const drawn = panelSvg(cell, y, figures.baseline);
    y += heights[i] ?? 0;
    return drawn;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page.width} ${n(height)}" role="img" aria-labelledby="title description">
<title id="title">CPU time of an HTTP request</title>
<desc id="description">${escape(cells.map((cell) => describe(cell)).join(" "))}</desc>
<style>
${stylesheet}</style>
<rect class="page" width="100%" height="100%"/>
<text class="title" x="${page.margin}" y="43">CPU time of an HTTP request</text>
<text class="muted" x="${page.margin}" y="64">caller, server, kernel and what stands between, all on one CPU; one connection; the whole way there and back</text>
${panels.join("")}<text class="muted small" x="${page.margin}" y="${n(height - 16)}">Middle of ${figures.rounds} rounds, all rows beside each other in each; thin line: least and most. ×: to "${escape(figures.baseline)}" in the same round.</text>
</svg>
`;
}

const sizeText = (size: number): string =>
  size < 1024 ? `${size} B` : size < 2 ** 20 ? `${size / 1024} KiB` : `${size / 2 ** 20} MiB`;

/** A panel in words, for those who hear it. */
const describe = ({ load, rows }: CellFigures): string =>
  `Answers of ${sizeText(load.size)}: ${rows.map(({ row, cpu }) => `${row} ${short(cpu.median)} µs`).join(", ")}.`;

function panelSvg({ load, rows }: CellFigures, y: number, baseline: string): string {
  const scale = longest / Math.max(...rows.map(({ cpu }) => cpu.most));
  const base = rows.find(({ row }) => row === baseline);
  const left = page.margin + line.name;
  const bars = rows.map((row, i) => barSvg(row, left, y + panel.heading + i * line.height, scale, baseline));
  const x = n(left + (base?.cpu.median ?? 0) * scale);
  const bottom = n(y + panel.heading + rows.length * line.height);
  return `<text class="heading" x="${page.margin}" y="${n(y + 22)}">Answers of ${sizeText(load.size)}</text>
<line class="base" x1="${x}" x2="${x}" y1="${n(y + panel.heading - 6)}" y2="${bottom}"/>
${bars.join("")}`;
}

function barSvg({ row, cpu, ratio }: CellRow, x: number, y: number, scale: number, baseline: string): string {
  const middle = n(y + line.bar / 2);
  const kind = row.startsWith("Keelson") ? "own" : row === baseline || row === "AF_UNIX" ? "plain" : "other";
  const times = row === baseline ? "" : `${ratio.median.toFixed(2)}×`;
  return `<text x="${n(x - 10)}" y="${n(y + 12)}" text-anchor="end">${escape(row)}</text>
<rect class="${kind}" x="${n(x)}" y="${n(y)}" width="${n(cpu.median * scale)}" height="${line.bar}" rx="2"/>
<line class="spread" x1="${n(x + cpu.least * scale)}" x2="${n(x + cpu.most * scale)}" y1="${middle}" y2="${middle}"/>
<text class="value" x="${n(x + cpu.most * scale + 10)}" y="${n(y + 12)}">${short(cpu.median)} µs<tspan class="muted" dx="6">${times}</tspan></text>
`;
}
