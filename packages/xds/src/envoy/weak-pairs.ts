/** What is known of two objects together, for as long as both are in use. */
export class WeakPairs<First extends object, Second extends object, Value> {
  private readonly byFirst = new WeakMap<First, WeakMap<Second, Value>>();

  get(first: First, second: Second): Value | undefined {
    return this.byFirst.get(first)?.get(second);
  }

  /** @returns the value */
  set(first: First, second: Second, value: Value): Value {
    const bySecond = this.byFirst.get(first);
    if (bySecond === undefined) this.byFirst.set(first, new WeakMap([[second, value]]));
    else bySecond.set(second, value);
    return value;
  }
}
