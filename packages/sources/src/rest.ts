/** Work that takes no longer, in ms, needs no rest. */
const quickMs = 10;

/** The longest rest in ms: what changed must be told, too. */
const longestRestMs = 500;

/**
 * Leaves time for other things where something changes all the time: after a change that took longer than `quickMs` to take
 * up, the next one waits for three times the excess, but for no longer than `longestRestMs`.
 */
export class Rest {
  /** By performance.now. */
  private until = 0;

  /** In ms from now; 0 if nothing needs to be waited for. */
  get left(): number {
    return Math.max(0, this.until - performance.now());
  }

  /** @param work takes up a change */
  after(work: () => void): void {
    const begin = performance.now();
    work();
    const end = performance.now();
    const excess = Math.max(0, end - begin - quickMs);
    this.until = end + Math.min(3 * excess, longestRestMs);
  }
}
