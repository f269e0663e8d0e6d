import type { Connections } from "./connections.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface GraphNode extends Box {
  readonly name: string;
  /** The service through which it is called; empty for one that only calls. */
  readonly service: string;
}

export interface GraphLink {
  readonly from: string;
  readonly to: string;
  /** A cubic Bézier curve: start, two control points, end. */
  readonly curve: readonly [Point, Point, Point, Point];
  /** Middle of the text that belongs to it. */
  readonly label: Point;
}

/** Nodes of one service that has more than one. */
export interface GraphGroup extends Box {
  readonly service: string;
}

export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
  readonly groups: readonly GraphGroup[];
}

export interface LayoutSize {
  readonly width: number;
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  /** Between nodes of one service, and of two. */
  readonly nodeGap: number;
  readonly serviceGap: number;
  /** Between the ends of links on one side of a node. */
  readonly linkGap: number;
  /** Around a group's nodes; above them stands its name as well. */
  readonly groupPadding: number;
  readonly groupTitle: number;
}

/**
 * Callers to the left, the called to the right: each node stands one column right of its last caller. Nodes of one
 * service stand together. Equal input, in whatever order, gives an equal layout.
 */
export function layoutGraph(connections: readonly Connections[], size: LayoutSize): GraphLayout {
  const services = servicesOf(connections);
  const columns = columnsOf(connections, services);
  const stacks = columns.map((names) => stack(names, services, size));
  const height = Math.max(0, ...stacks.map((one) => one.height));
  const step = columns.length > 1 ? (size.width - size.nodeWidth) / (columns.length - 1) : 0;
  const nodes = stacks.flatMap(({ tops, height: own }, column) =>
    [...tops].map(([name, top]) => ({
      name,
      service: services.get(name) ?? "",
      x: column * step,
      y: top + (height - own) / 2,
      width: size.nodeWidth,
      height: size.nodeHeight,
    })),
  );
  return {
    width: size.width,
    height,
    nodes,
    links: linksOf(connections, nodes, size),
    groups: groupsOf(nodes, size),
  };
}

function servicesOf(connections: readonly Connections[]): Map<string, string> {
  const services = new Map<string, string>();
  for (const { from } of connections) services.set(from, "");
  for (const { to, service } of connections) services.set(to, service);
  return services;
}

/** Names by column, each sorted by service and name. */
function columnsOf(connections: readonly Connections[], services: ReadonlyMap<string, string>): string[][] {
  const depths = new Map([...services.keys()].map((name) => [name, 0]));
  // The longest way through n nodes has n - 1 steps; more rounds would only follow a circle.
  for (let round = 1; round < services.size; round++) {
    for (const { from, to } of connections) {
      const depth = Math.min((depths.get(from) ?? 0) + 1, services.size - 1);
      if (depth > (depths.get(to) ?? 0)) depths.set(to, depth);
    }
  }
  const used = [...new Set(depths.values())].sort((a, b) => a - b);
  const place = (name: string): string => `${services.get(name)}\0${name}`;
  return used.map((depth) =>
    [...services.keys()]
      .filter((name) => depths.get(name) === depth)
      .sort((a, b) => (place(a) < place(b) ? -1 : 1)),
  );
}

/** Stacks a column's nodes. @returns the top of each, and the height of all. */
function stack(
  names: readonly string[],
  services: ReadonlyMap<string, string>,
  size: LayoutSize,
): { tops: Map<string, number>; height: number } {
  const tops = new Map<string, number>();
  let y = 0;
  for (const service of new Set(names.map((name) => services.get(name)))) {
    const members = names.filter((name) => services.get(name) === service);
    const grouped = members.length > 1;
    if (y > 0) y += size.serviceGap;
    if (grouped) y += size.groupTitle + size.groupPadding;
    members.forEach((name, i) => {
      if (i > 0) y += size.nodeGap;
      tops.set(name, y);
      y += size.nodeHeight;
    });
    if (grouped) y += size.groupPadding;
  }
  return { tops, height: y };
}

function groupsOf(nodes: readonly GraphNode[], { groupPadding, groupTitle }: LayoutSize): GraphGroup[] {
  const services = [...new Set(nodes.map(({ service }) => service))];
  return services.flatMap((service) => {
    const members = nodes.filter((node) => node.service === service);
    if (service === "" || members.length < 2) return [];
    const left = Math.min(...members.map(({ x }) => x));
    const top = Math.min(...members.map(({ y }) => y));
    const right = Math.max(...members.map(({ x, width }) => x + width));
    const bottom = Math.max(...members.map(({ y, height }) => y + height));
    return [
      {
        service,
        x: left - groupPadding,
        y: top - groupPadding - groupTitle,
        width: right - left + 2 * groupPadding,
        height: bottom - top + 2 * groupPadding + groupTitle,
      },
    ];
  });
}

function linksOf(
  connections: readonly Connections[],
  nodes: readonly GraphNode[],
  { linkGap }: LayoutSize,
): GraphLink[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const height = (name: string): number => byName.get(name)?.y ?? 0;
  /** Where on a node's side one of its links stands, so that links do not cross there. */
  const offset = (own: Connections, links: readonly Connections[], far: "from" | "to"): number => {
    const order = [...links].sort((a, b) => height(a[far]) - height(b[far]));
    return (order.indexOf(own) - (links.length - 1) / 2) * linkGap;
  };
  return connections.flatMap((own) => {
    const [source, target] = [byName.get(own.from), byName.get(own.to)];
    if (source === undefined || target === undefined) return [];
    const leaving = connections.filter(({ from }) => from === own.from);
    const arriving = connections.filter(({ to }) => to === own.to);
    const start = {
      x: source.x + source.width,
      y: source.y + source.height / 2 + offset(own, leaving, "to"),
    };
    const end = { x: target.x, y: target.y + target.height / 2 + offset(own, arriving, "from") };
    const middle = (start.x + end.x) / 2;
    const curve = [start, { x: middle, y: start.y }, { x: middle, y: end.y }, end] as const;
    // A label stands where the link is farthest from its neighbours.
    const t = 0.5 + 0.2 * Math.sign(leaving.length - arriving.length);
    return [{ from: own.from, to: own.to, curve, label: pointOn(curve, t) }];
  });
}

/** The point at `t` (0 to 1) of a cubic Bézier curve. */
function pointOn([a, b, c, d]: GraphLink["curve"], t: number): Point {
  const s = 1 - t;
  const at = (axis: "x" | "y"): number =>
    s ** 3 * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t ** 3 * d[axis];
  return { x: at("x"), y: at("y") };
}
