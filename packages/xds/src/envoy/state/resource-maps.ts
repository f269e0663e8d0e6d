import type { Resource } from "@keelson/protos";

export type ResourceMap = ReadonlyMap<string, Resource>;

export const noResources: ResourceMap = new Map();

/**
 * The resources by name, the first of a name only. What has the same content as before is the same object as before;
 * if all is, so is the map.
 */
export function resourceMap(resources: Iterable<Resource>, before: ResourceMap | undefined): ResourceMap {
  const map = new Map<string, Resource>();
  let same = before !== undefined;
  for (const resource of resources) {
    if (map.has(resource.name)) continue;
    const old = before?.get(resource.name);
    const kept = old !== undefined && old.version === resource.version ? old : resource;
    if (kept !== old) same = false;
    map.set(resource.name, kept);
  }
  return same && before !== undefined && before.size === map.size ? before : map;
}
