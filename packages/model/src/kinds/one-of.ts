// What refinements say of fields that exclude each other, in the words of JSON Schema: a refinement is a function, which
// no schema of Kubernetes can hold. To be given to a schema by `.meta()`.

const isThere = (field: string): object => ({ required: [field] });

export const exactlyOneOf = (...fields: readonly string[]): { readonly oneOf: readonly object[] } => ({
  oneOf: fields.map(isThere),
});

export const atMostOneOf = (...fields: readonly string[]): { readonly oneOf: readonly object[] } => ({
  oneOf: [{ not: { anyOf: fields.map(isThere) } }, ...fields.map(isThere)],
});
