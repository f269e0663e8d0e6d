/**
 * Remembers what was made for a key as long as all inputs are the very same values. Rounds bound it: what a round did
 * not ask for is forgotten at its end. It changes how long things take, never what comes out.
 */
export class Memo<Value> {
  private known = new Map<string, { inputs: readonly unknown[]; value: Value }>();
  private used = new Map<string, { inputs: readonly unknown[]; value: Value }>();

  get(key: string, inputs: readonly unknown[], make: () => Value): Value {
    const before = this.used.get(key) ?? this.known.get(key);
    const same =
      before?.inputs.length === inputs.length && before.inputs.every((input, i) => input === inputs[i]);
    const entry = before !== undefined && same ? before : { inputs, value: make() };
    this.used.set(key, entry);
    return entry.value;
  }

  endRound(): void {
    this.known = this.used;
    this.used = new Map();
  }
}
