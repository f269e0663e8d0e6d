import { expect, test } from "vitest";
import { help, parseBenchArguments } from "./arguments.ts";
import type { Benchmark } from "./benchmark.ts";

const run = (): never => {
  throw new Error("arguments are only parsed");
};
const missing = () => Promise.resolve([]);
const benchmarks: Benchmark[] = [
  { name: "connect", what: "connections", missing, run },
  { name: "relay", what: "requests", missing, run },
];
const parse = (...args: string[]): ReturnType<typeof parseBenchArguments> =>
  parseBenchArguments(args, benchmarks);

test("a name alone: a table of a whole run", () => {
  const [benchmark] = benchmarks;
  expect(parse("connect")).toEqual({ kind: "run", benchmark, json: false, quick: false, world: "bench" });
});

test("options stand before the name or after it", () => {
  const [, benchmark] = benchmarks;
  const wanted = { kind: "run", benchmark, json: true, quick: true, world: "other", save: "docs" };
  expect(parse("--json", "relay", "--quick", "--world", "other", "--save", "docs")).toEqual(wanted);
});

test.each([
  [[], "name a benchmark: connect, relay"],
  [["fly"], 'there is no benchmark "fly", only connect, relay'],
  [["connect", "relay"], 'one benchmark at a time; found also "relay"'],
  [["connect", "--quik"], "--quik"],
])("%j is wrong usage", (args, message) => {
  const parsed = parse(...args);
  expect(parsed.kind === "wrong" ? parsed.message : "").toContain(message);
});

test("help lists what there is, and goes before all else", () => {
  expect(parse("fly", "--help")).toEqual({ kind: "help" });
  expect(help(benchmarks)).toContain("  connect  connections\n  relay  requests\n");
});
