import type { SourceHealth } from "@keelson/sources";

/** Readiness as a set of named tasks, each held by whoever must finish it, and what is wrong without being in the way. */
export class Readiness {
  private readonly pending = new Map<string, string>();
  private readonly wrong = new Map<string, { readonly why: string; readonly isOver: () => boolean }>();

  private health: () => SourceHealth = () => ({ waiting: {}, failing: {} });

  /** Asks, whenever somebody looks, how that from which all else follows is doing. */
  follow(health: () => SourceHealth): void {
    this.health = health;
  }

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

  /**
   * Says that a part of the program does not do its work, and why; the rest goes on. Said again, the last word counts.
   * @param isOver asked whenever somebody looks: true ends it
   */
  fail(part: string, why: string, isOver: () => boolean = () => false): void {
    this.wrong.set(part, { why, isOver });
  }

  /** Takes back what fail said of the part. */
  recover(part: string): void {
    this.wrong.delete(part);
  }

  get ready(): boolean {
    return this.pending.size === 0;
  }

  /** What is still waited for, by task. */
  get waiting(): Record<string, string> {
    const parts = this.ready ? {} : this.health().waiting;
    return { ...Object.fromEntries(this.pending), ...parts };
  }

  /** What does not work, by part. */
  get problems(): Record<string, string> {
    for (const [part, { isOver }] of this.wrong) if (isOver()) this.wrong.delete(part);
    const { waiting, failing } = this.health();
    const own = Object.fromEntries([...this.wrong].map(([part, { why }]) => [part, why]));
    return { ...failing, ...(this.ready ? waiting : {}), ...own };
  }
}
