/** A class by the version that a pod's name ends with, if other versions stand beside it. */
export function versionColor(pod: string): string {
  const version = /^reviews-(v[123])$/.exec(pod)?.[1];
  return version ?? "plain";
}

interface Palette {
  readonly page: string;
  readonly panel: string;
  readonly border: string;
  readonly text: string;
  readonly muted: string;
  readonly node: string;
  readonly group: string;
  readonly idle: string;
  /** Class → colour of lines and borders. */
  readonly lines: Readonly<Record<string, string>>;
}

// Blue, amber and magenta keep apart for most eyes that do not see all colours (Okabe and Ito's set).
const light: Palette = {
  page: "#ffffff",
  panel: "#f6f8fa",
  border: "#d8dee4",
  text: "#1f2328",
  muted: "#59636e",
  node: "#ffffff",
  group: "#8c959f",
  idle: "#c4ccd4",
  lines: { plain: "#7b8794", v1: "#0072b2", v2: "#d98200", v3: "#b5488a" },
};

const dark: Palette = {
  page: "#0d1117",
  panel: "#151b23",
  border: "#30363d",
  text: "#f0f6fc",
  muted: "#9198a1",
  node: "#0d1117",
  group: "#656c76",
  idle: "#4b535d",
  lines: { plain: "#7d8590", v1: "#4aa8e8", v2: "#f0a63a", v3: "#dc7fb9" },
};

function colors(palette: Palette): string {
  const lines = Object.entries(palette.lines).map(
    ([name, color]) =>
      `.link.${name} { stroke: ${color} } .node.${name} .card { stroke: ${color} } .node.${name} .share { fill: ${color} }`,
  );
  return `.page { fill: ${palette.page} }
.panel { fill: ${palette.panel}; stroke: ${palette.border} }
text { fill: ${palette.text} }
.muted { fill: ${palette.muted} }
.card { fill: ${palette.node} }
.whole { fill: ${palette.border} }
.group { stroke: ${palette.group} }
.link.idle { stroke: ${palette.idle} }
.count { stroke: ${palette.panel} }
${lines.join("\n")}
.node.none .card { stroke: ${palette.idle} }
.node.none .name, .count.none { fill: ${palette.muted} }
`;
}

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");

/** Classes of the picture. Colours are written out, since not every viewer knows CSS variables. */
export const stylesheet = `text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
.title { font-size: 21px; font-weight: 600 }
.heading { font-size: 16px; font-weight: 600 }
.small { font-size: 12px }
.name { font-size: 13.5px; font-weight: 600; text-anchor: middle }
.panel { stroke-width: 1 }
.card { stroke-width: 1.8 }
.group { fill: none; stroke-width: 1.2; stroke-dasharray: 4 4 }
.link { fill: none; stroke-linecap: butt; stroke-opacity: 0.75 }
.link.idle { stroke-width: 1.5; stroke-dasharray: 3 5; stroke-opacity: 1 }
.count { font-size: 13.5px; font-weight: 600; text-anchor: middle; stroke-width: 5; stroke-linejoin: round; paint-order: stroke }
.count.none { font-weight: 400 }
${colors(light)}@media (prefers-color-scheme: dark) {
${indent(colors(dark))}}
`;
