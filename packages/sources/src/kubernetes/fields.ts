/** Fields of an object that nobody has checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** What is no object has no fields. */
export const fieldsOf = (value: unknown): Fields =>
  // Whatever is read of it is checked by a schema afterwards.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** What is no list is an empty one. */
export const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(fieldsOf) : [];

/** The named fields that are there. */
export function only(fields: Fields, ...names: readonly string[]): Fields {
  const kept: Record<string, unknown> = {};
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined && value !== null) kept[name] = value;
  }
  return kept;
}
