/** A map seen through changes that are not yet made to it. */
export class Overlay<V> {
  private readonly changed = new Map<string, V | undefined>();
  private readonly base: Map<string, V>;

  constructor(base: Map<string, V>) {
    this.base = base;
  }

  get(key: string): V | undefined {
    return this.changed.has(key) ? this.changed.get(key) : this.base.get(key);
  }

  /** @param value undefined: the key is to go */
  set(key: string, value: V | undefined): void {
    this.changed.set(key, value);
  }

  /** Of what was set. */
  keys(): Iterable<string> {
    return this.changed.keys();
  }

  /** As they will be. */
  *values(): Iterable<V> {
    for (const [key, value] of this.base) if (!this.changed.has(key)) yield value;
    for (const value of this.changed.values()) if (value !== undefined) yield value;
  }

  /** Makes the changes to the map. */
  commit(): void {
    for (const [key, value] of this.changed) {
      if (value === undefined) this.base.delete(key);
      else this.base.set(key, value);
    }
  }
}
