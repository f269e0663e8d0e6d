/** Two maps read as one: what many share, and what one of them has of its own. Names are in one of them only. */
export class LayeredMap<Value> implements ReadonlyMap<string, Value> {
  readonly shared: ReadonlyMap<string, Value>;
  readonly own: ReadonlyMap<string, Value>;

  constructor(shared: ReadonlyMap<string, Value>, own: ReadonlyMap<string, Value>) {
    this.shared = shared;
    this.own = own;
  }

  get size(): number {
    return this.shared.size + this.own.size;
  }

  get(key: string): Value | undefined {
    return this.own.get(key) ?? this.shared.get(key);
  }

  has(key: string): boolean {
    return this.own.has(key) || this.shared.has(key);
  }

  forEach(callback: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  *entries(): MapIterator<[string, Value]> {
    yield* this.shared.entries();
    yield* this.own.entries();
  }

  *keys(): MapIterator<string> {
    yield* this.shared.keys();
    yield* this.own.keys();
  }

  *values(): MapIterator<Value> {
    yield* this.shared.values();
    yield* this.own.values();
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }
}
