import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { customResourceDefinitions } from "../packages/model/src/crds/index.ts";

const page = readFileSync(new URL("../docs/rule-fields.md", import.meta.url), "utf8");
const [described = "", idle = ""] = page.split("## Without effect");

const namesIn = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);

/** As much of an OpenAPI schema as is looked at. */
interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

interface Field {
  readonly name: string;
  readonly isIdle: boolean;
}

/** All fields below a schema; none below one without effect. */
function fieldsOf(schema: Schema | undefined): Field[] {
  if (schema === undefined) return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]): Field[] => {
    const isIdle = inner.description?.startsWith("Has no effect") === true;
    return [{ name, isIdle }, ...(isIdle ? [] : fieldsOf(inner))];
  });
  return [...own, ...fieldsOf(schema.items), ...fieldsOf(schema.additionalProperties)];
}

/** A CustomResourceDefinition's spec, as far as it is looked at. */
interface Definition {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly {
    readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: Schema } } };
  }[];
}

function specOf(kind: string): Schema | undefined {
  const definitions = customResourceDefinitions().map(({ spec }) => spec as Definition);
  const found = definitions.find(
    ({ group, names }) => names.kind === kind && group === "networking.istio.io",
  );
  return found?.versions[0]?.schema.openAPIV3Schema.properties.spec;
}

const fields = ["VirtualService", "DestinationRule"].flatMap((kind) => fieldsOf(specOf(kind)));

test("docs/rule-fields.md has every field of both kinds, those without effect apart", () => {
  expect(fields.length).toBeGreaterThan(100);
  const known = new Set(namesIn(described));
  const missing = fields.filter(({ name, isIdle }) => !isIdle && !known.has(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
  const untold = fields.filter(({ name, isIdle }) => isIdle && !namesIn(idle).includes(name));
  expect(untold.map(({ name }) => name)).toEqual([]);
});

test("what docs/rule-fields.md says is without effect is marked so in the schemas", () => {
  const marked = new Set(fields.filter(({ isIdle }) => isIdle).map(({ name }) => name));
  const first = namesIn(idle.split("`exponentialDelay`")[0] ?? "");
  const holders = new Set(["httpCookie", "warmup"]);
  expect(first.filter((name) => !holders.has(name) && !marked.has(name))).toEqual([]);
});
