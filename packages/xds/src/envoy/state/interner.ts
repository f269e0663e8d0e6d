/** Keeps one value per key for as long as somebody else holds it. */
export class Interner<Value extends object> {
  private readonly values = new Map<string, WeakRef<Value>>();
  private readonly registry = new FinalizationRegistry<string>((key) => {
    if (this.values.get(key)?.deref() === undefined) this.values.delete(key);
  });

  get(key: string, make: () => Value): Value {
    const known = this.values.get(key)?.deref();
    if (known !== undefined) return known;
    const value = make();
    this.values.set(key, new WeakRef(value));
    this.registry.register(value, key);
    return value;
  }
}

/** Text that is equal for equal plain data, 64-bit numbers and bytes included. */
export const dataKey = (data: unknown): string =>
  JSON.stringify(data, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
