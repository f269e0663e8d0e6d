import { z } from "zod";

// How to find one's way in zod's schemas beside a value.

/** What stands in an object, array or record; undefined if the schema does not know. @param schema unwrapped */
export function childOf(schema: unknown, part: string | number): unknown {
  if (schema instanceof z.ZodObject) return schema.shape[part];
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

/** The schema below "optional" and its like, one level. */
export function unwrapOnce(schema: unknown): unknown {
  const wraps =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return wraps ? schema.unwrap() : schema;
}

/** The schema below "optional" and its like. */
export function unwrap(schema: unknown): unknown {
  const inner = unwrapOnce(schema);
  return inner === schema ? schema : unwrap(inner);
}
