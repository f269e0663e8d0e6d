/** Bytes are those of ASCII. */
const bytes = 128;
const noKey = -1;
const fewest = 2 ** 10;

/**
 * Where known steps of an automaton lead, by state and byte: numbers in one block of memory, as the look-ups of a text wait for
 * each other, and for memory.
 */
export class Steps {
  size = 0;
  /** Pairs of key and target; a key stands at its hash, or behind it where that was taken. */
  private pairs = emptyPairs(fewest);
  private mask = fewest - 1;

  /** @returns undefined: not known */
  get(state: number, byte: number): number | undefined {
    const key = state * bytes + byte;
    for (let place = this.home(key); ; place = (place + 1) & this.mask) {
      const found = this.pairs[2 * place];
      if (found === key) return this.pairs[2 * place + 1];
      if (found === noKey) return undefined;
    }
  }

  /** Of a step that is not known. @param state below 2^24 */
  add(state: number, byte: number, target: number): void {
    if (2 * ++this.size > this.mask) this.grow();
    this.put(state * bytes + byte, target);
  }

  private put(key: number, target: number): void {
    let place = this.home(key);
    while (this.pairs[2 * place] !== noKey) place = (place + 1) & this.mask;
    this.pairs[2 * place] = key;
    this.pairs[2 * place + 1] = target;
  }

  private grow(): void {
    const before = this.pairs;
    this.pairs = emptyPairs(before.length);
    this.mask = before.length - 1;
    for (let at = 0; at < before.length; at += 2) {
      const [key = noKey, target = 0] = [before[at], before[at + 1]];
      if (key !== noKey) this.put(key, target);
    }
  }

  /** Multiplied by the golden ratio (Knuth's multiplicative hashing), of which the upper bits are good. */
  private home(key: number): number {
    return (Math.imul(key, 0x9e3779b1) >>> 7) & this.mask;
  }
}

const emptyPairs = (count: number): Int32Array => new Int32Array(2 * count).fill(noKey);
