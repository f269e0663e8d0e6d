import type { Resource } from "@keelson/protos";

export type ResourceMap = ReadonlyMap<string, Resource>;

export const noResources: ResourceMap = new Map();

/**
 * The resources by name, the first of a name only. What has the same content as before is the same object as before;
 * if all is, in the same order, so is the map.
 */
export function resourceMap(resources: Iterable<Resource>, before: ResourceMap = noResources): ResourceMap {
  const map = new Map<string, Resource>();
  const names = before.keys();
  let same = true;
  for (const resource of resources) {
    const { name, version } = resource;
    if (map.has(name)) continue;
    const old = before.get(name);
    const kept = old?.version === version ? old : resource;
    if (kept !== old || names.next().value !== name) same = false;
    map.set(name, kept);
  }
  return same && map.size === before.size ? before : map;
}
