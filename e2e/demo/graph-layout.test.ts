import fc from "fast-check";
import { expect, test } from "vitest";
import type { Connections } from "./connections.ts";
import { type Box, type LayoutSize, layoutGraph } from "./graph-layout.ts";

const size: LayoutSize = {
  width: 800,
  nodeWidth: 100,
  nodeHeight: 40,
  nodeGap: 10,
  serviceGap: 30,
  linkGap: 8,
  groupPadding: 10,
  groupTitle: 20,
};

const link = (from: string, to: string): Connections => ({
  from,
  to,
  service: to.split("-")[0] ?? to,
  count: 1,
});
const bookinfo = [
  link("visitor", "productpage-v1"),
  link("productpage-v1", "details-v1"),
  link("productpage-v1", "reviews-v1"),
  link("productpage-v1", "reviews-v2"),
  link("reviews-v2", "ratings-v1"),
];

const apart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

test("each node stands one column right of its last caller", () => {
  const { nodes } = layoutGraph(bookinfo, size);
  const columns = [...new Set(nodes.map(({ x }) => x))].sort((a, b) => a - b);
  const column = (name: string): number => columns.indexOf(nodes.find((node) => node.name === name)?.x ?? -1);
  expect(
    ["visitor", "productpage-v1", "details-v1", "reviews-v1", "reviews-v2", "ratings-v1"].map(column),
  ).toEqual([0, 1, 2, 2, 2, 3]);
  expect(columns).toEqual([0, 700 / 3, 1400 / 3, 700]);
});

test("pods of one service stand in a group that holds them and nothing else", () => {
  const { nodes, groups } = layoutGraph(bookinfo, size);
  expect(groups.map(({ service }) => service)).toEqual(["reviews"]);
  const [group] = groups;
  if (group === undefined) return;
  for (const node of nodes) expect(apart(node, group)).toBe(node.service !== "reviews");
});

const graphs = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
    .map(([from, to]) => ({ from: `p${from}`, to: `p${to}`, service: `s${to % 4}`, count: 1 })),
  { minLength: 1, maxLength: 20 },
);

test("whatever calls whatever, circles too: every node is there once, inside, and covers no other", () => {
  fc.assert(
    fc.property(graphs, (connections) => {
      const { nodes, width, height } = layoutGraph(connections, size);
      const names = new Set(connections.flatMap(({ from, to }) => [from, to]));
      expect(nodes.map(({ name }) => name).sort()).toEqual([...names].sort());
      for (const node of nodes) {
        expect(node.x >= 0 && node.x + node.width <= width).toBe(true);
        expect(node.y >= 0 && node.y + node.height <= height + 1e-9).toBe(true);
        expect(nodes.every((other) => other === node || apart(node, other))).toBe(true);
      }
    }),
  );
});

test("links leave to the right, arrive from the left, and do not cross at a node's side", () => {
  const { nodes, links } = layoutGraph(bookinfo, size);
  const page = nodes.find(({ name }) => name === "productpage-v1");
  const leaving = links.filter(({ from }) => from === "productpage-v1");
  expect(leaving.map(({ curve }) => curve[0].x)).toEqual(leaving.map(() => (page?.x ?? 0) + size.nodeWidth));
  const byStart = [...leaving].sort((a, b) => a.curve[0].y - b.curve[0].y).map(({ to }) => to);
  const byEnd = [...leaving].sort((a, b) => a.curve[3].y - b.curve[3].y).map(({ to }) => to);
  expect(byStart).toEqual(byEnd);
});

const withLinksInOrder = (layout: ReturnType<typeof layoutGraph>): unknown => ({
  ...layout,
  links: [...layout.links].sort((a, b) => (a.from + a.to < b.from + b.to ? -1 : 1)),
});

test("the order of connections does not matter", () => {
  const [one, other] = [layoutGraph(bookinfo.toReversed(), size), layoutGraph(bookinfo, size)];
  expect(withLinksInOrder(one)).toEqual(withLinksInOrder(other));
});
