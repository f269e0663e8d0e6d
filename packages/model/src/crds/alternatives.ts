import type { StructuralSchema } from "./structural-schema.ts";

/**
 * One schema for a value that may be of several: Kubernetes wants the type once, and beside it alternatives that only
 * bound the value.
 * @throws Error if the alternatives are of kinds that Kubernetes cannot put into one schema.
 */
export function uniteAlternatives(alternatives: readonly StructuralSchema[]): StructuralSchema {
  const types = new Set(alternatives.map(({ type }) => type));
  const [type] = types;
  if (types.size === 1 && type !== undefined) return { type, ...bounds(alternatives) };
  if (types.size === 2 && types.has("integer") && types.has("string")) {
    return { "x-kubernetes-int-or-string": true };
  }
  throw new Error(`no structural schema holds a value that is ${[...types].join(" or ")}`);
}

/** Nothing, if one alternative takes every value of the type. */
function bounds(alternatives: readonly StructuralSchema[]): StructuralSchema {
  const anyOf = alternatives.map(({ type: _, description: __, ...bound }) => bound);
  return anyOf.some((bound) => Object.keys(bound).length === 0) ? {} : { anyOf };
}
