import type { Connections } from "./connections.ts";
import { type GraphLayout, type GraphNode, layoutGraph } from "./graph-layout.ts";
import { stylesheet, versionColor } from "./traffic-style.ts";

/** One state of the mesh: a heading, and the traffic that was counted in it. */
export interface TrafficPanel {
  readonly title: string;
  readonly subtitle: string;
  readonly connections: readonly Connections[];
}

export interface TrafficPicture {
  readonly title: string;
  readonly panels: readonly TrafficPanel[];
  /** Where the numbers are from. */
  readonly source: string;
}

const page = { width: 960, margin: 24, heading: 68, footer: 40 };
const panelSize = { padding: 36, heading: 66, bottom: 28, gap: 20 };
const graphSize = {
  width: page.width - 2 * page.margin - 2 * panelSize.padding,
  nodeWidth: 132,
  nodeHeight: 48,
  nodeGap: 14,
  serviceGap: 26,
  linkGap: 9,
  groupPadding: 14,
  groupTitle: 20,
};

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? "");
/** Tenths of a pixel are enough. */
const n = (value: number): string => String(Math.round(value * 10) / 10);

/** Draws all panels with the same layout, one below the other, as SVG for light and dark pages. */
export function trafficSvg({ title, panels, source }: TrafficPicture): string {
  const everything = panels.flatMap(({ connections }) => connections);
  const layout = layoutGraph(unique(everything), graphSize);
  const most = Math.max(1, ...everything.map(({ count }) => count));
  const panelHeight = panelSize.heading + layout.height + panelSize.bottom;
  const height =
    page.heading +
    panels.length * panelHeight +
    (panels.length - 1) * panelSize.gap +
    page.footer +
    page.margin;
  const drawn = panels.map((panel, i) => {
    const y = page.heading + i * (panelHeight + panelSize.gap);
    return `<g transform="translate(${page.margin} ${n(y)})">\n${panelSvg(panel, layout, panelHeight, most)}</g>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page.width} ${n(height)}" role="img" aria-labelledby="title description">
<title id="title">${escape(title)}</title>
<desc id="description">${escape(describe(panels))}</desc>
<style>
${stylesheet}</style>
<rect class="page" width="100%" height="100%"/>
<text class="title" x="${page.margin}" y="43">${escape(title)}</text>
${drawn.join("")}<text class="muted small" x="${page.margin}" y="${n(height - page.margin)}">${escape(source)}</text>
</svg>
`;
}

/** One of each pair, so that pairs seen in several panels are laid out once. */
function unique(connections: readonly Connections[]): Connections[] {
  return [...new Map(connections.map((one) => [`${one.from}\0${one.to}`, one])).values()].sort((a, b) =>
    a.from + a.to < b.from + b.to ? -1 : 1,
  );
}

/** The picture in words, for those who hear it. */
function describe(panels: readonly TrafficPanel[]): string {
  return panels
    .map(({ title, connections }) => {
      const parts = connections.map(({ from, to, count }) => `${from} to ${to} ${count}`);
      return `${title}: ${parts.join(", ")}.`;
    })
    .join(" ");
}

const sum = (connections: readonly Connections[]): number =>
  connections.reduce((all, { count }) => all + count, 0);

function panelSvg(
  { title, subtitle, connections }: TrafficPanel,
  layout: GraphLayout,
  height: number,
  most: number,
): string {
  const counts = new Map(connections.map(({ from, to, count }) => [`${from}\0${to}`, count]));
  const countOf = (from: string, to: string): number => counts.get(`${from}\0${to}`) ?? 0;
  const links = [...layout.links].sort((a, b) => countOf(a.from, a.to) - countOf(b.from, b.to));
  const into = (name: string): number => sum(connections.filter(({ to }) => to === name));
  const outOf = (name: string): number => sum(connections.filter(({ from }) => from === name));
  const intoService = (name: string): number => sum(connections.filter(({ service }) => service === name));
  const grouped = new Set(layout.groups.map(({ service }) => service));
  const width = page.width - 2 * page.margin;
  return `<rect class="panel" width="${width}" height="${n(height)}" rx="14"/>
<text class="heading" x="${panelSize.padding - 12}" y="34">${escape(title)}</text>
<text class="muted" x="${panelSize.padding - 12}" y="55">${escape(subtitle)}</text>
<g transform="translate(${panelSize.padding} ${panelSize.heading})">
${layout.groups.map(groupSvg).join("")}${links.map((link) => linkSvg(link, countOf(link.from, link.to), most)).join("")}${layout.nodes
  .map((node) => {
    const all = grouped.has(node.service) ? intoService(node.service) : undefined;
    return nodeSvg(node, { into: into(node.name), out: outOf(node.name), all });
  })
  .join("")}${links.map((link) => labelSvg(link, countOf(link.from, link.to))).join("")}</g>
`;
}

const groupSvg = ({ x, y, width, height, service }: GraphLayout["groups"][number]): string =>
  `<rect class="group" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="12"/>
<text class="muted small" x="${n(x + width / 2)}" y="${n(y + 19)}" text-anchor="middle">service ${escape(service)}</text>
`;

function linkSvg({ to, curve }: GraphLayout["links"][number], count: number, most: number): string {
  const [a, b, c, d] = curve;
  const path = `M${n(a.x)} ${n(a.y)}C${n(b.x)} ${n(b.y)} ${n(c.x)} ${n(c.y)} ${n(d.x)} ${n(d.y)}`;
  if (count === 0) return `<path class="link idle" d="${path}"/>\n`;
  // The area of a line grows with what flows in it, and the faintest is still seen.
  const width = 1.5 + 8.5 * (count / most);
  return `<path class="link ${versionColor(to)}" d="${path}" stroke-width="${n(width)}"/>\n`;
}

function labelSvg({ label: { x, y } }: GraphLayout["links"][number], count: number): string {
  return `<text class="count${count === 0 ? " none" : ""}" x="${n(x)}" y="${n(y + 4.5)}">${count}</text>\n`;
}

/** Connections to a node, from it, and to its whole service, if that has more nodes. */
interface NodeTraffic {
  readonly into: number;
  readonly out: number;
  readonly all: number | undefined;
}

function nodeSvg({ name, x, y, width, height }: GraphNode, { into, out, all }: NodeTraffic): string {
  const middle = n(x + width / 2);
  const connections = into === 1 ? "1 connection" : `${into} connections`;
  const share = all === undefined ? undefined : into / Math.max(1, all);
  const sends = into === 0 && out > 0;
  const caption = share !== undefined ? percent(share) : sends ? "sends the requests" : connections;
  const bar = share === undefined ? "" : barSvg({ x: x + 10, y: y + height - 8, width: width - 20 }, share);
  return `<g class="node ${versionColor(name)}${into + out === 0 ? " none" : ""}">
<rect class="card" x="${n(x)}" y="${n(y)}" width="${width}" height="${height}" rx="9"/>
<text class="name" x="${middle}" y="${n(y + 20)}">${escape(name)}</text>
<text class="muted small" x="${middle}" y="${n(y + 35)}" text-anchor="middle">${caption}</text>
${bar}</g>
`;
}

/** The share of a service's connections that one of its pods got. */
function barSvg({ x, y, width }: { x: number; y: number; width: number }, share: number): string {
  const part = (name: string, length: number): string =>
    `<rect class="${name}" x="${n(x)}" y="${n(y)}" width="${n(length)}" height="3" rx="1.5"/>\n`;
  return part("whole", width) + (share === 0 ? "" : part("share", Math.max(3, share * width)));
}

const percent = (share: number): string => `${(share * 100).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;
