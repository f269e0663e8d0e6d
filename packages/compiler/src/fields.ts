import type { FieldPath, RouteOrigin } from "@keelson/model";

// Where each API writes the parts of a route.

/** The conditions of a route. */
export const matchField = ({ object, path }: RouteOrigin): FieldPath => [
  ...path,
  object.kind === "HTTPRoute" ? "matches" : "match",
];

/** The i-th destination of a route. */
export const routeField = ({ object, path }: RouteOrigin, i: number): FieldPath => [
  ...path,
  object.kind === "HTTPRoute" ? "backendRefs" : "route",
  i,
];
