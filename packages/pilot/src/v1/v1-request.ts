/** What is asked for, by the path of its URL. */
export type V1Request =
  | { readonly kind: "registration" }
  | { readonly kind: "endpoints"; readonly key: string }
  | { readonly kind: "clusters" | "listeners"; readonly node: string }
  | { readonly kind: "az"; readonly node: string }
  | { readonly kind: "routes"; readonly name: string; readonly node: string };

const path =
  /^\/v1\/(?:registration\/(?<key>.+?)|(?<kind>clusters|listeners|az)\/[^/]+\/(?<node>[^/]+)|routes\/(?<name>[^/]+)\/[^/]+\/(?<routesNode>[^/]+))\/?$/su;

/**
 * Reads a path whose escapes are decoded. A service key may hold "/", which stands in keys of labels; Pilot did not find
 * those. @returns undefined for paths that mean nothing
 */
export function parseV1Path(text: string): V1Request | undefined {
  if (/^\/v1\/registration\/?$/.test(text)) return { kind: "registration" };
  const groups = path.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { key, kind, node, name, routesNode } = groups;
  if (key !== undefined) return { kind: "endpoints", key };
  if (name !== undefined && routesNode !== undefined) return { kind: "routes", name, node: routesNode };
  return { kind: kind as "clusters" | "listeners" | "az", node: node ?? "" };
}
