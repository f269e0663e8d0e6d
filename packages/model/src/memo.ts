interface Entry<Value> {
  inputs: readonly unknown[];
  value: Value;
  /** The last one in which it was asked for. */
  round: number;
}

/**
 * Remembers what was made for a key as long as all inputs are the very same values. Rounds bound it: what a round did
 * not ask for is forgotten at its end. It changes how long things take, never what comes out.
 */
export class Memo<Value> {
  private readonly entries = new Map<string, Entry<Value>>();
  private round = 0;
  /** Entries that this round has asked for. */
  private asked = 0;

  get(key: string, inputs: readonly unknown[], make: () => Value): Value {
    const before = this.entries.get(key);
    if (before === undefined) {
      const value = make();
      this.asked++;
      this.entries.set(key, { inputs, value, round: this.round });
      return value;
    }
    if (before.round !== this.round) {
      before.round = this.round;
      this.asked++;
    }
    const same =
      before.inputs.length === inputs.length && before.inputs.every((input, i) => input === inputs[i]);
    if (!same) {
      before.value = make();
      before.inputs = inputs;
    }
    return before.value;
  }

  /** Has the value made again when it is asked for next. */
  forget(key: string): void {
    const entry = this.entries.get(key);
    if (entry !== undefined) entry.inputs = forgotten;
  }

  endRound(): void {
    if (this.asked < this.entries.size) {
      for (const [key, { round }] of this.entries) if (round !== this.round) this.entries.delete(key);
    }
    this.round++;
    this.asked = 0;
  }
}

/** Inputs that no one can give. */
const forgotten: readonly unknown[] = [Symbol("forgotten")];
