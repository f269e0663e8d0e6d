import { expect, test } from "vitest";
import type { Connections } from "./connections.ts";
import { trafficSvg } from "./traffic-svg.ts";

const link = (from: string, to: string, count: number): Connections => ({
  from,
  to,
  service: to.split("-")[0] ?? to,
  count,
});
const before = [link("page-v1", "reviews-v1", 7), link("page-v1", "reviews-v2", 5)];
const after = [link("page-v1", "reviews-v1", 11), link("page-v1", "reviews-v2", 0)];
const picture = (): string =>
  trafficSvg({
    title: "a < b",
    panels: [
      { title: "Before", subtitle: "", connections: before },
      { title: "After", subtitle: "", connections: after },
    ],
    source: "maps",
  });

/** Tags of a well-formed document close in the order in which they opened. */
function unclosedTags(svg: string): string[] {
  const open: string[] = [];
  for (const [, close, name = "", alone] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (close === "/") expect(open.pop()).toBe(name);
    else if (alone !== "/") open.push(name);
  }
  return open;
}

test("every count stands at its link, in the panel it belongs to", () => {
  const counts = [...picture().matchAll(/class="count[^>]*>(\d+)</g)].map(([, count]) => Number(count));
  // The least first: labels of wide links lie above others.
  expect(counts).toEqual([5, 7, 0, 11]);
});

test("a link without traffic is drawn idle, one with the most the widest", () => {
  const svg = picture();
  expect(svg.match(/class="link idle"/g)).toHaveLength(1);
  const widths = [...svg.matchAll(/class="link v\d"[^>]*stroke-width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(widths).toHaveLength(3);
  expect(Math.max(...widths)).toBe(widths.at(-1));
});

test("who sends and is sent nothing says so; who does neither is faint", () => {
  const svg = trafficSvg({
    title: "",
    panels: [
      {
        title: "",
        subtitle: "",
        connections: [link("visitor", "page-v1", 3), link("page-v1", "details-v1", 3)],
      },
      { title: "", subtitle: "", connections: [link("page-v1", "details-v1", 2)] },
    ],
    source: "",
  });
  const nodes = [
    ...svg.matchAll(/<g class="node plain( none)?">[^]*?class="name"[^>]*>([^<]+)<[^]*?<text[^>]*>([^<]+)</g),
  ];
  expect(nodes.map(([, none = "", name, caption]) => `${name}: ${caption}${none}`)).toEqual([
    "visitor: sends the requests",
    "page-v1: 3 connections",
    "details-v1: 3 connections",
    "visitor: 0 connections none",
    "page-v1: sends the requests",
    "details-v1: 2 connections",
  ]);
});

test("it is well-formed, text is escaped, and the picture is told in words", () => {
  const svg = picture();
  expect(unclosedTags(svg)).toEqual([]);
  expect(svg).toContain('<title id="title">a &lt; b</title>');
  expect(svg).toContain("After: page-v1 to reviews-v1 11, page-v1 to reviews-v2 0.");
});

test("equal traffic gives an equal picture", () => {
  expect(picture()).toBe(picture());
});
