import { comparable } from "./mapped-map.ts";

/** So many values may differ from those of the map below before all are copied: looking and copying cost about the same then. */
const mostPatches = 64;

/**
 * A map with other values for a few keys of another one, whose keys and order it has: it costs what differs, not what is
 * there. Immutable.
 */
class PatchedMap<Value> implements ReadonlyMap<string, Value> {
  readonly below: ReadonlyMap<string, Value>;
  readonly patches: ReadonlyMap<string, Value>;

  constructor(below: ReadonlyMap<string, Value>, patches: ReadonlyMap<string, Value>) {
    this.below = below;
    this.patches = patches;
  }

  get size(): number {
    return this.below.size;
  }

  get(key: string): Value | undefined {
    return this.patches.has(key) ? this.patches.get(key) : this.below.get(key);
  }

  has(key: string): boolean {
    return this.below.has(key);
  }

  forEach(callback: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  *entries(): MapIterator<[string, Value]> {
    const { patches } = this;
    for (const entry of this.below) {
      const [key] = entry;
      const patch = patches.get(key);
      yield patch === undefined && !patches.has(key) ? entry : [key, patch as Value];
    }
  }

  keys(): MapIterator<string> {
    return this.below.keys();
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }
}

/** The map that a map goes back to, and where it differs from that. */
function layersOf<Value>(map: ReadonlyMap<string, Value>): {
  below: ReadonlyMap<string, Value>;
  patches: ReadonlyMap<string, Value>;
} {
  return map instanceof PatchedMap ? map : { below: map, patches: new Map() };
}

/**
 * @param values of keys that the map has
 * @returns a map with these values, in the same order; the same one if it has them already
 */
export function withValues<Value>(
  map: ReadonlyMap<string, Value>,
  values: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  const { below, patches } = layersOf(map);
  const now = new Map(patches);
  let isSame = true;
  for (const [key, value] of values) {
    if (!below.has(key)) throw new RangeError(`the map has no key ${JSON.stringify(key)}`);
    if (map.get(key) === value) continue;
    isSame = false;
    now.set(key, value);
  }
  if (isSame) return map;
  const patched = new PatchedMap(below, now);
  return now.size <= mostPatches ? patched : new Map(patched);
}

/**
 * @param changes undefined: the key goes
 * @returns a map with these changes, sorted as the one before; the same one if it says so already
 */
export function withChanges<Value>(
  map: ReadonlyMap<string, Value>,
  changes: ReadonlyMap<string, Value | undefined>,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  let sameKeys = true;
  for (const [key, value] of changes) {
    if (map.has(key) !== (value !== undefined)) sameKeys = false;
    if (value !== undefined) values.set(key, value);
  }
  if (sameKeys) return withValues(map, values);
  const entries = [...map].filter(([key]) => !changes.has(key));
  return new Map([...entries, ...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Keys that only one of the maps has, or under which they have different things. */
export function differingKeys(
  these: ReadonlyMap<string, unknown>,
  those: ReadonlyMap<string, unknown>,
): ReadonlySet<string> {
  const [a, b] = comparable(these, those);
  const [one, other] = [layersOf(a), layersOf(b)];
  const keys =
    a === b
      ? []
      : one.below === other.below
        ? [...one.patches.keys(), ...other.patches.keys()]
        : [...a.keys(), ...b.keys()];
  return new Set(keys.filter((key) => a.get(key) !== b.get(key) || a.has(key) !== b.has(key)));
}

/** Whether two maps have the very same things in the same order. */
export function isSameMap(these: ReadonlyMap<string, unknown>, those: ReadonlyMap<string, unknown>): boolean {
  const [a, b] = comparable(these, those);
  if (a === b) return true;
  if (a.size !== b.size) return false;
  if (layersOf(a).below === layersOf(b).below) return differingKeys(a, b).size === 0;
  const others = b.entries();
  for (const [key, value] of a) {
    const other = others.next().value;
    if (other?.[0] !== key || other[1] !== value) return false;
  }
  return true;
}
