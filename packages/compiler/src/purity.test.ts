import { readdirSync, readFileSync } from "node:fs";
import { ModelBuilder } from "@keelson/model";
import { application, read, routeRule, toVersion } from "@keelson/model/testing";
import { afterEach, expect, test, vi } from "vitest";
import { Compiler } from "./compiler.ts";

/** Hashing is a function of its input alone. */
const pureModules = new Set(["node:crypto"]);
const isPure = (name: string): boolean =>
  /^(\.\.?\/|re2js$|@keelson\/(bpf|model|protos)\b|@bufbuild\/protobuf\b)/.test(name) ||
  pureModules.has(name);

/** Globals through which time, chance or the world outside comes in. */
const impureGlobals =
  /\b(Date|performance|Math\.random|setTimeout|setInterval|setImmediate|process|fetch|globalThis)\b/;

const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.includes("testing/"))
  .map((name) => ({ name, text: readFileSync(`${import.meta.dirname}/${name}`, "utf8") }));

test("there are sources to look at", () => {
  expect(sources.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["compiler.ts", "automaton/contexts.ts"]),
  );
});

test.each(sources)("$name imports only what is pure, and names nothing that is not", ({ text }) => {
  const imports = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g)].map(
    ([, name = ""]) => name,
  );
  expect(imports.filter((name) => !isPure(name))).toEqual([]);
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  expect(impureGlobals.exec(code)?.[0]).toBeUndefined();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("it compiles where no clock, chance or timer is to be had", () => {
  const { model } = new ModelBuilder().build(read(...application(), routeRule({ route: [toVersion("v1")] })));
  for (const name of ["Date", "performance", "setTimeout", "setInterval", "setImmediate", "fetch"]) {
    vi.stubGlobal(name, undefined);
  }
  vi.spyOn(Math, "random").mockImplementation(() => {
    throw new Error("the compiler must not draw lots");
  });
  const compiled = new Compiler().compile(model);
  const explanation = compiled.explain("reviews.default.svc.cluster.local");
  vi.unstubAllGlobals();
  expect(explanation?.ports).toHaveLength(1);
});
