/** Go writes these characters as escapes, so that JSON can stand inside HTML (encoding/json, HTMLEscape). */
const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
  // JavaScript has short forms that Go has not.
  "\\b": "\\u0008",
  "\\f": "\\u000c",
};

/**
 * The text that Go's json.MarshalIndent makes with " " as prefix and as indent: what Pilot's answers look like. Fields
 * stand in the order in which they were set.
 */
export function goJson(value: unknown): string {
  return (
    JSON.stringify(value, null, 1)
      .replaceAll("\n", "\n ")
      // Escapes are taken whole, so that the "b" behind an escaped backslash is no part of one.
      .replace(/\\[\s\S]|[<>&\u2028\u2029]/g, (found) => escapes[found] ?? found)
  );
}

/** A field that Go leaves out where it is empty ("omitempty"): false, 0, "", a list without elements, or not set. */
export function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [Field in Key]?: Value } {
  return isEmpty(value) ? {} : ({ [key]: value } as { readonly [Field in Key]?: Value });
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === false || value === 0 || value === "";
}
