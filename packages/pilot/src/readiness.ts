/** Readiness as a set of named tasks, each held by whoever must finish it. */
export class Readiness {
  private readonly pending = new Map<string, string>();

  /**
   * Adds a task that must be done before the program is ready.
   * @param detail what it waits for, shown until it is done
   * @returns a function that marks it done
   */
  hold(task: string, detail: string): () => void {
    this.pending.set(task, detail);
    return () => {
      this.pending.delete(task);
    };
  }

  get ready(): boolean {
    return this.pending.size === 0;
  }

  /** What is still waited for, by task. */
  get waiting(): Record<string, string> {
    return Object.fromEntries(this.pending);
  }
}
