import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { requirePeer } from "./peer-cache.ts";

/** A part of an OpenAPI schema, as CustomResourceDefinitions hold it. */
export interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema;
  readonly additionalProperties?: FieldSchema;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
}

export interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: Readonly<Record<string, unknown>>;
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly subresources?: object;
      readonly additionalPrinterColumns?: readonly Column[];
      readonly schema: { readonly openAPIV3Schema: FieldSchema };
    }[];
  };
}

/** CustomResourceDefinitions of a text, by name. */
export const parseCrds = (text: string): ReadonlyMap<string, Crd> =>
  new Map(
    parseAllDocuments(text)
      .map((document) => document.toJS() as Crd | null)
      .filter((crd) => crd !== null)
      .map((crd) => [crd.metadata.name, crd]),
  );

/** Those that Istio's own chart installs. */
export async function istioCrds(): Promise<ReadonlyMap<string, Crd>> {
  const { folder } = await requirePeer("istiod");
  return parseCrds(await readFile(join(folder, "charts/base/files/crd-all.gen.yaml"), "utf8"));
}

/** How kubectl knows a kind: names, versions and columns, without the words that describe them. */
export const faceOf = ({ spec: { group, scope, names, versions } }: Crd): object => ({
  group,
  scope,
  names,
  versions: versions
    .map(({ name, served, storage, subresources, additionalPrinterColumns: columns = [] }) => ({
      name,
      served,
      storage,
      subresources,
      columns: columns.map((column) => [column.name, column.type, column.jsonPath]),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
});

/** What a schema says of each of its fields: its type and its choices, by path. */
export function fieldsOf(schema: FieldSchema, path = ""): Map<string, string> {
  const inner: [string, FieldSchema | undefined][] = [
    ...Object.entries(schema.properties ?? {}).map(([name, field]): [string, FieldSchema] => [
      `.${name}`,
      field,
    ]),
    ["[]", schema.items],
    ["{}", schema.additionalProperties],
  ];
  const choices = schema.enum === undefined ? "" : ` of ${schema.enum.map(String).toSorted().join(", ")}`;
  return new Map([
    [path, `${schema.type ?? "anything"}${choices}`],
    ...inner.flatMap(([step, field]) => (field === undefined ? [] : [...fieldsOf(field, path + step)])),
  ]);
}
