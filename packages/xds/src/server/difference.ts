import type { Resource } from "@keelson/protos";
import { LayeredMap } from "../layered-map.ts";
import type { Resources } from "./view.ts";

/** What became of a list of resources. */
export interface Difference {
  /** New, or of another version. */
  readonly changed: Resources;
  readonly gone: ReadonlySet<string>;
}

const nothing: ReadonlySet<string> = new Set();
const known = new WeakMap<Resources, WeakMap<Resources, Difference>>();

/** From one list to another; found out once for all streams that go from the one to the other. */
export function difference(before: Resources, after: Resources): Difference {
  if (before.size === 0) return { changed: after, gone: nothing };
  if (before instanceof LayeredMap && after instanceof LayeredMap && before.own === after.own)
    return difference(before.shared, after.shared);
  const fromBefore = known.get(before) ?? new WeakMap<Resources, Difference>();
  known.set(before, fromBefore);
  const found = fromBefore.get(after) ?? compare(before, after);
  fromBefore.set(after, found);
  return found;
}

function compare(before: Resources, after: Resources): Difference {
  const changed = new Map<string, Resource>();
  let kept = 0;
  for (const [name, resource] of after) {
    const old = before.get(name);
    if (old !== undefined) kept += 1;
    if (old !== resource && old?.version !== resource.version) changed.set(name, resource);
  }
  if (kept === before.size) return { changed, gone: nothing };
  return { changed, gone: new Set([...before.keys()].filter((name) => !after.has(name))) };
}

/** Whether two lists hold the same in the same versions. */
export function sameResources(a: Resources, b: Resources): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, { version }] of a) if (b.get(name)?.version !== version) return false;
  return true;
}
