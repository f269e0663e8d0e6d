import { z } from "zod";
import type { FieldPath } from "../config-object.ts";
import { childOf, unwrap, unwrapOnce } from "../schema-walk.ts";

/** Fields that are known, checked, and then without effect, each with what to say of it. */
const registry = z.registry<{ readonly why: string }>();

/** Marks a field that has no effect yet; whoever writes it is told. */
export function notCarried<Schema extends z.ZodType>(
  schema: Schema,
  why = "has no effect: it is not supported yet",
): Schema {
  // A schema of its own: the one given may stand elsewhere, too.
  const marked = schema.clone();
  registry.add(marked, { why });
  return marked;
}

export interface IdleField {
  readonly path: FieldPath;
  readonly why: string;
}

/** The fields of a value that are marked so. @param value as it was written, and valid */
export function idleFields(schema: unknown, value: unknown, path: FieldPath = []): IdleField[] {
  if (value === undefined || value === null) return [];
  const why = idleReason(schema);
  if (why !== undefined) return [{ path, why }];
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => idleFields(childOf(unwrap(schema), i), item, [...path, i]));
  }
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, field]) =>
    idleFields(childOf(unwrap(schema), key), field, [...path, key]),
  );
}

/** What to say of a field whose schema, or one that it wraps, is marked; undefined for one that has an effect. */
export function idleReason(schema: unknown): string | undefined {
  for (let at: unknown = schema; at instanceof z.ZodType; ) {
    const found = registry.get(at);
    if (found !== undefined) return found.why;
    const inner = unwrapOnce(at);
    if (inner === at) return undefined;
    at = inner;
  }
  return undefined;
}
