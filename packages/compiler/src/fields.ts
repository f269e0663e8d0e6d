import type { FieldPath, RouteOrigin } from "@keelson/model";

// Where each API writes the parts of a route.

/** The conditions of a route. */
export const matchField = ({ object, path }: RouteOrigin): FieldPath => [
  ...path,
  object.kind === "HTTPRoute" ? "matches" : "match",
];

/** The i-th destination of a route. */
export function routeField({ object, path }: RouteOrigin, i: number): FieldPath {
  // A path's backend, or the field of the default one itself.
  if (object.kind === "Ingress") return typeof path.at(-1) === "number" ? [...path, "backend"] : path;
  return [...path, object.kind === "HTTPRoute" ? "backendRefs" : "route", i];
}
