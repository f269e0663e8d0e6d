import { expect, test } from "vitest";
import { drawRequests } from "./draw.ts";
import { shapes } from "./shapes.ts";

test.each(shapes)("$name: rules by Zipf's law, a fifth of the requests for none", (shape) => {
  const count = 40_000;
  const heads = drawRequests(shape, 10, count).split(/(?<=\r\n\r\n)/);
  expect(heads.length).toBe(count);
  const share = (rule: number | undefined): number =>
    heads.filter((head) => head === shape.request(rule)).length / count;
  expect(share(undefined)).toBeCloseTo(0.2, 2);
  const sum = Array.from({ length: 10 }, (_, rule) => 1 / (rule + 1)).reduce((a, b) => a + b);
  for (const rule of [0, 1, 4, 9]) expect(share(rule)).toBeCloseTo(0.8 / (rule + 1) / sum, 1.5);
});
