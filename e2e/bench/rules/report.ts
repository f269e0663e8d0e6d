import { short, table } from "../table.ts";
import type { RulesFigures } from "./rules.ts";

/** A table for each shape: rows by number of rules. */
export function rulesText(figures: readonly RulesFigures[]): string {
  const shapes = [...new Set(figures.map(({ shape }) => shape))];
  const faults = figures.flatMap(({ shape, rules, faults: found }) =>
    Object.entries(found).map(([row, fault]) => `NOT MEASURED: ${row}, ${rules} rules (${shape}): ${fault}`),
  );
  return [
    ...shapes.map((shape) =>
      shapeText(
        shape,
        figures.filter((one) => one.shape === shape),
      ),
    ),
    `CPU time of a request in µs, everything pinned to one CPU, 16 connections, the middle one of the rounds; "grown": to that
with the fewest rules. Requests are drawn by Zipf's law over all rules, a fifth is for none of them. The table is that by
which the kernel finds the rule of a request.`,
    ...faults,
    "",
  ].join("\n");
}

function shapeText(shape: string, figures: readonly RulesFigures[]): string {
  const names = [...new Set(figures.flatMap(({ rows }) => rows.map(({ row }) => row)))];
  const cpu = ({ rows }: RulesFigures, name: string): number | undefined =>
    rows.find(({ row }) => row === name)?.cpu.median;
  const lines = figures.map((one) => [
    one.rules.toLocaleString("en-US"),
    ...names.flatMap((name) => {
      const [own, first] = [cpu(one, name), figures[0] && cpu(figures[0], name)];
      if (own === undefined) return ["–", ""];
      return [short(own), first === undefined ? "" : `${(own / first).toFixed(2)}×`];
    }),
    ...("unfit" in one.table
      ? [one.table.unfit, ""]
      : [one.table.entries, one.table.bytes].map((size) => size.toLocaleString("en-US"))),
  ]);
  const heading = ["rules", ...names.flatMap((name) => [name, "grown"]), "table's entries", "bytes"];
  return [
    `One service with rules of ${shape}`,
    ...table([heading, ...lines]).map((line) => `  ${line}`),
    "",
  ].join("\n");
}
