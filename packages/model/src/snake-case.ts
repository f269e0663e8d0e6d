/** Below these the keys are the user's own, not field names. */
const userKeys = new Set(["labels", "headers", "annotations"]);

const camel = (key: string): string =>
  key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Field names in snake_case become camelCase, as protobuf's JSON mapping allows both. A field that is written both
 * ways keeps its snake_case name, which no schema knows: neither silently wins.
 */
export function camelCaseFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCaseFields);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      Object.hasOwn(value, camel(key)) ? key : camel(key),
      userKeys.has(key) ? field : camelCaseFields(field),
    ]),
  );
}
