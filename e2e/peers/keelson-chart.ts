import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { workspaceFolder } from "../world/workspace.ts";
import { runHelm } from "./helm.ts";
import type { KubeApiserver } from "./kube-apiserver.ts";

/** The chart of this checkout. */
export const chartFolder = join(workspaceFolder, "charts/keelson");

/** The chart's CustomResourceDefinitions. */
export const crdFolder = join(chartFolder, "crds");

/** A manifest as the chart renders it; only what all have is named. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** Command-line arguments for values, by their path: {"pilot.image": "x"}. */
export const setValues = (values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(values).flatMap(([path, value]) => ["--set-json", `${path}=${JSON.stringify(value)}`]);

/** What `helm template` makes of values. @throws Error with what helm said if it refuses them. */
export async function renderChart(
  namespace: string,
  values: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await runHelm([
    "template",
    "keelson",
    chartFolder,
    `--namespace=${namespace}`,
    ...setValues(values),
  ]);
  if (code !== 0) throw new Error(stderr.trim());
  return stdout;
}

export const parseRendered = (text: string): Rendered[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((manifest) => manifest !== null);

/** Makes a namespace as Kubernetes' controllers would: with its ServiceAccount "default". */
export async function createNamespace(
  apiserver: KubeApiserver,
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  await apiserver.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
  );
}

const idleMark = "Of istiod's chart; without effect here.";

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Paths of the values that the chart takes, although they mean nothing to it. */
export async function idleValues(): Promise<string[]> {
  const schema = JSON.parse(await readFile(join(chartFolder, "values.schema.json"), "utf8")) as Schema;
  const walk = ({ description, properties = {} }: Schema, path: readonly string[]): string[] =>
    description === idleMark
      ? [path.join(".")]
      : Object.entries(properties).flatMap(([name, inner]) => walk(inner, [...path, name]));
  return walk(schema, []);
}
