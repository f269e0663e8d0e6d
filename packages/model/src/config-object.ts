import type { z } from "zod";
import { type Diagnostic, describeOrigin, type Origin, type Position } from "./diagnostic.ts";
import { routeRuleSchema } from "./istio/route-rule.ts";
import { endpointSliceSchema } from "./kubernetes/endpoint-slice.ts";
import { podSchema } from "./kubernetes/pod.ts";
import { serviceSchema } from "./kubernetes/service.ts";
import { defaultNamespace } from "./names.ts";
import { nearest } from "./nearest.ts";

/** Every kind that we read, by "apiVersion kind". One line per kind: the schema is all that a source needs. */
const schemas = {
  "v1 Service": serviceSchema,
  "v1 Pod": podSchema,
  "discovery.k8s.io/v1 EndpointSlice": endpointSliceSchema,
  "config.istio.io/v1alpha2 RouteRule": routeRuleSchema,
} as const;

type Schemas = typeof schemas;
type AnyValue = { [K in keyof Schemas]: z.output<Schemas[K]> }[keyof Schemas];

/** A validated object with the place it came from. Immutable: an object that did not change stays the same one. */
export type ConfigObject<Value extends AnyValue = AnyValue> = Value extends AnyValue
  ? { readonly origin: Origin; readonly value: Value }
  : never;

export interface RawObject {
  readonly value: unknown;
  /** Where the value at a path stands; the object itself for the empty path. */
  readonly locate: (path: readonly PropertyKey[]) => Position;
}

export interface Parsed {
  readonly object?: ConfigObject;
  readonly diagnostics: readonly Diagnostic[];
}

const text = (value: unknown, fallback: string): string => (typeof value === "string" ? value : fallback);

function originOf(raw: RawObject): Origin {
  const { kind, metadata } = raw.value as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } };
  return {
    ...raw.locate([]),
    kind: text(kind, "object"),
    namespace: text(metadata?.namespace, defaultNamespace),
    name: text(metadata?.name, "(no name)"),
  };
}

/** Validates one object of a configuration; never throws, whatever the value. */
export function parseObject(raw: RawObject): Parsed {
  const { value } = raw;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return problem(raw, [], "not-an-object", "expected a Kubernetes object with apiVersion, kind and metadata");
  }
  const { apiVersion, kind } = value as Record<string, unknown>;
  const key = `${text(apiVersion, "")} ${text(kind, "")}`;
  if (!Object.hasOwn(schemas, key)) return unknownKind(raw, key);
  const result = schemas[key as keyof Schemas].safeParse(value);
  const origin = originOf(raw);
  if (result.success) {
    return { object: { origin, value: result.data } as ConfigObject, diagnostics: [] };
  }
  return { diagnostics: result.error.issues.flatMap((issue) => issueDiagnostics(issue, raw, origin)) };
}

function problem(raw: RawObject, path: readonly PropertyKey[], code: string, message: string): Parsed {
  return { diagnostics: [{ severity: "error", code, message, position: raw.locate(path) }] };
}

function unknownKind(raw: RawObject, key: string): Parsed {
  const similar = nearest(key, Object.keys(schemas));
  const hint = similar === undefined ? "" : `; did you mean "${similar}"?`;
  const message = `"${key.trim()}" is not a kind that Keelson reads${hint}`;
  // Other controllers' objects may stand in the same files.
  return {
    diagnostics: [
      {
        severity: similar === undefined ? "warning" : "error",
        code: "unknown-kind",
        message,
        position: raw.locate(["kind"]),
      },
    ],
  };
}

function issueDiagnostics(issue: z.core.$ZodIssue, raw: RawObject, origin: Origin): Diagnostic[] {
  const object = describeOrigin(origin);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(raw.value, issue.path);
    return issue.keys.map((key) => {
      const similar = nearest(key, known);
      const hint = similar === undefined ? "" : `; did you mean "${similar}"?`;
      const path = [...issue.path, key];
      return {
        severity: "error",
        code: "unknown-field",
        message: `unknown field "${formatPath(path)}"${hint}`,
        position: raw.locate(path),
        object,
      };
    });
  }
  const where = issue.path.length === 0 ? "" : `${formatPath(issue.path)}: `;
  const message = `${where}${issue.message}${foundValue(raw.value, issue.path)}`;
  return [{ severity: "error", code: "invalid-value", message, position: raw.locate(issue.path), object }];
}

/** "spec.route[0].weight" */
export const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text_, key) => (typeof key === "number" ? `${text_}[${key}]` : text_ === "" ? String(key) : `${text_}.${String(key)}`),
    "",
  );

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** Scalars only: a secret is never one that we read, but a whole object would flood the line. */
function foundValue(value: unknown, path: readonly PropertyKey[]): string {
  const found = valueAt(value, path);
  if (typeof found === "string") return `; found ${JSON.stringify(found.slice(0, 80))}`;
  return typeof found === "number" || typeof found === "boolean" ? `; found ${found}` : "";
}

/** Keys that the schema allows at a path of a rule, asked of the schema itself. */
function knownKeys(value: unknown, path: readonly PropertyKey[]): string[] {
  const { apiVersion, kind } = value as { apiVersion: string; kind: string };
  let schema: z.core.$ZodType | undefined = schemas[`${apiVersion} ${kind}` as keyof Schemas];
  for (const key of path) schema = childSchema(schema, key);
  const shape = shapeOf(schema);
  return shape === undefined ? [] : Object.keys(shape);
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = schema;
  while (current !== undefined && "innerType" in current._zod.def) {
    current = (current._zod.def as unknown as { innerType: z.core.$ZodType }).innerType;
  }
  return current;
}

function shapeOf(schema: z.core.$ZodType | undefined): Record<string, z.core.$ZodType> | undefined {
  return (unwrap(schema)?._zod.def as { shape?: Record<string, z.core.$ZodType> } | undefined)?.shape;
}

function childSchema(schema: z.core.$ZodType | undefined, key: PropertyKey): z.core.$ZodType | undefined {
  const def = unwrap(schema)?._zod.def as
    | { element?: z.core.$ZodType; valueType?: z.core.$ZodType }
    | undefined;
  return shapeOf(schema)?.[String(key)] ?? def?.element ?? def?.valueType;
}
