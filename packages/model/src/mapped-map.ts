type Mapping = (value: never) => unknown;

/** What follows from each value of another map, found when it is asked for. Immutable, if the other one is. */
class MappedMap<From, To> implements ReadonlyMap<string, To> {
  readonly from: ReadonlyMap<string, From>;
  readonly to: (value: From) => To;

  constructor(from: ReadonlyMap<string, From>, to: (value: From) => To) {
    this.from = from;
    this.to = to;
  }

  get size(): number {
    return this.from.size;
  }

  get(key: string): To | undefined {
    const value = this.from.get(key);
    return value === undefined ? undefined : this.to(value);
  }

  has(key: string): boolean {
    return this.from.has(key);
  }

  forEach(callback: (value: To, key: string, map: ReadonlyMap<string, To>) => void): void {
    for (const [key, value] of this.from) callback(this.to(value), key, this);
  }

  *entries(): MapIterator<[string, To]> {
    for (const [key, value] of this.from) yield [key, this.to(value)];
  }

  keys(): MapIterator<string> {
    return this.from.keys();
  }

  *values(): MapIterator<To> {
    for (const value of this.from.values()) yield this.to(value);
  }

  [Symbol.iterator](): MapIterator<[string, To]> {
    return this.entries();
  }
}

/**
 * A map of what follows from each value of another one: it costs nothing to have.
 * @param from without undefined values
 * @param to gives the same thing for the same value, and another one for another
 */
export const mappedMap = <From extends object, To extends object>(
  from: ReadonlyMap<string, From>,
  to: (value: From) => To,
): ReadonlyMap<string, To> => new MappedMap(from, to);

/** Two maps that differ where these two do, and may be compared with less work. */
export function comparable(
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>,
): readonly [ReadonlyMap<string, unknown>, ReadonlyMap<string, unknown>] {
  if (!(a instanceof MappedMap) || !(b instanceof MappedMap) || !isSameMapping(a, b)) return [a, b];
  return comparable(a.from, b.from);
}

const isSameMapping = (a: { readonly to: Mapping }, b: { readonly to: Mapping }): boolean => a.to === b.to;
