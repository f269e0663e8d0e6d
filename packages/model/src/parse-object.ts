import type { z } from "zod";
import {
  type ConfigObject,
  type FieldPath,
  type ObjectMeta,
  type Origin,
  type Problem,
  problemOf,
} from "./config-object.ts";
import { metadata as metadataSchema } from "./kinds/fields.ts";
import { type KindDescription, type KnownObject, kinds } from "./kinds/index.ts";
import { idleFields } from "./kinds/not-carried.ts";
import { camelCaseFields } from "./snake-case.ts";
import { suggest, suggestField } from "./suggest.ts";

export interface ParsedObject {
  /** Missing if there are errors. */
  readonly object?: KnownObject;
  readonly problems: readonly Problem[];
}

/** Where an object without a namespace belongs, as with kubectl. */
const defaultNamespace = "default";

/** No kind that is read is nested nearly as deep; what reads an object may then follow it by recursion. */
const maximumDepth = 200;

/** Checks one object as it came from YAML or JSON against the schema of its kind. */
export function parseObject(value: unknown, origin: Origin): ParsedObject {
  const head = headOf(value);
  const at = (path: FieldPath, message: string): ParsedObject => ({
    problems: [problemOf("error", { ...head, origin }, path, message)],
  });
  if (isDeeper(value, maximumDepth)) {
    return at([], `is nested deeper than ${maximumDepth} levels, or contains itself`);
  }
  if (!isRecord(value)) return at([], `is not an object with apiVersion and kind, but ${show(value)}`);
  if (typeof value["kind"] !== "string") return at([], 'has no "kind"');
  const named = kinds.filter(({ kind }) => kind === value["kind"]);
  if (named.length === 0) return { problems: [unknownKind({ ...head, origin })] };
  const { apiVersion } = value;
  const description =
    typeof apiVersion === "string" ? named.find((one) => apiVersionsOf(one).includes(apiVersion)) : undefined;
  if (typeof apiVersion !== "string" || description === undefined) {
    const wanted = named.flatMap(apiVersionsOf).join(" or ");
    return at(["apiVersion"], `${show(apiVersion)} is not read for kind ${head.kind}; use ${wanted}`);
  }
  return parseKnown(description, apiVersion, value, { ...head, origin });
}

/** "networking.istio.io/v1" and its like; the core group has no name. */
function apiVersionsOf({ group, versions }: KindDescription): string[] {
  return versions.map((version) => (group === "" ? version : `${group}/${version}`));
}

type Head = Pick<ConfigObject, "kind" | "metadata">;
type Named = Head & Pick<ConfigObject, "origin">;

function parseKnown(
  description: KindDescription,
  apiVersion: string,
  value: Record<string, unknown>,
  named: Named,
): ParsedObject {
  const { apiVersion: _, kind: __, metadata, ...rest } = value;
  const cased = description.snakeCase ? camelCaseFields(rest) : rest;
  const body = description.handWritten ? withoutNulls(cased) : cased;
  const meta = metadataSchema.safeParse(metadata ?? {}, { reportInput: true });
  const parsed = description.schema.safeParse(body, { reportInput: true });
  if (!meta.success || !parsed.success) {
    const problems = [
      ...(meta.error?.issues ?? []).flatMap((issue) =>
        issueProblems(named, { ...description, schema: metadataSchema }, issue, ["metadata"]),
      ),
      ...(parsed.error?.issues ?? []).flatMap((issue) => issueProblems(named, description, issue, [])),
    ];
    return { problems };
  }
  const object = {
    kind: description.kind,
    group: description.group,
    apiVersion,
    metadata: metaOf(meta.data, description),
    body: parsed.data,
    origin: named.origin,
  };
  // The schema was found by the kind, so body and kind belong together.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const known = object as KnownObject;
  const idle = description.handWritten ? idleFields(description.schema, body) : [];
  const problems = [
    ...(description.check?.(known) ?? []),
    ...idle.map(({ path, why }) => problemOf("warning", known, path, why)),
  ];
  return problems.some(({ severity }) => severity === "error") ? { problems } : { object: known, problems };
}

function metaOf(
  meta: z.output<typeof metadataSchema>,
  { confidential }: Pick<KindDescription, "confidential">,
): ObjectMeta {
  return {
    name: meta.name,
    namespace: meta.namespace ?? defaultNamespace,
    uid: meta.uid ?? "",
    creationTimestamp: meta.creationTimestamp ?? "",
    labels: meta.labels ?? {},
    // kubectl writes the whole object into one of them.
    annotations: confidential ? {} : (meta.annotations ?? {}),
  };
}

function unknownKind(named: Named): Problem {
  const near = suggest(
    named.kind,
    kinds.map(({ kind }) => kind),
  );
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return problemOf("warning", named, ["kind"], `kind ${named.kind} is not read and has no effect${hint}`);
}

function issueProblems(
  named: Named,
  { schema, confidential }: { readonly schema: z.ZodType; readonly confidential?: true },
  issue: z.core.$ZodIssue,
  base: FieldPath,
): Problem[] {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = suggestField(schema, path, key);
      const hint = near === undefined ? "" : `; did you mean "${near}"?`;
      return problemOf("error", named, [...base, ...path, key], `unknown field "${key}"${hint}`);
    });
  }
  const found = issue.input === undefined || confidential ? "" : ` (found ${show(issue.input)})`;
  const message =
    issue.input === undefined && issue.code === "invalid_type" ? "is required" : messageOf(issue);
  return [problemOf("error", named, [...base, ...path], `${message}${found}`)];
}

/** Of a key, what is wrong with it. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  (issue.code === "invalid_key" ? issue.issues[0]?.message : undefined) ?? issue.message;

function headOf(value: unknown): Head {
  const record = isRecord(value) ? value : {};
  const meta = isRecord(record["metadata"]) ? record["metadata"] : {};
  return {
    kind: text(record["kind"], "object"),
    metadata: {
      name: text(meta["name"], "(no name)"),
      namespace: text(meta["namespace"], defaultNamespace),
      uid: "",
      creationTimestamp: "",
      labels: {},
      annotations: {},
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field that says null says nothing, as in protobuf's JSON mapping: what "match:" without more leaves behind. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [key, withoutNulls(field)]),
  );
}

/** Ends at the first path that is too long, so a value that contains itself is no danger. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

const text = (part: unknown, otherwise: string): string => (typeof part === "string" ? part : otherwise);

/** A value as a message shows it: JSON, cut. */
function show(value: unknown): string {
  const whole = JSON.stringify(value) ?? String(value);
  return whole.length > 60 ? `${whole.slice(0, 57)}...` : whole;
}
