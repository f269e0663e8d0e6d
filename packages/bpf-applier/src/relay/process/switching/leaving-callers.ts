/** Callers that one run of a program takes; a packet has room for more. */
export const mostAtOnce = 256;

/** Milliseconds after which is tried again what the kernel refused: it lacks memory. */
const retryMs = 500;

/** Callers that programs are told to leave alone, as many as have come at a time: connections may end by the thousand. */
export class LeavingCallers {
  private readonly tell: (callers: readonly bigint[]) => Promise<void>;
  private readonly onLeft: (caller: bigint) => void;
  private readonly untold = new Set<bigint>();
  private telling: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param onLeft its exchange is nobody's now */
  constructor(tell: (callers: readonly bigint[]) => Promise<void>, onLeft: (caller: bigint) => void) {
    this.tell = tell;
    this.onLeft = onLeft;
  }

  add(caller: bigint): void {
    this.untold.add(caller);
    this.begin();
  }

  has(caller: bigint): boolean {
    return this.untold.has(caller);
  }

  /** Programs have been told of all, unless the kernel refused. */
  async settled(): Promise<void> {
    await this.telling;
  }

  private begin(): void {
    clearTimeout(this.timer);
    this.telling ??= this.tellAll()
      .catch(() => {
        this.timer = setTimeout(() => this.begin(), retryMs).unref();
      })
      .finally(() => {
        this.telling = undefined;
      });
  }

  private async tellAll(): Promise<void> {
    for (let untold = this.next(); untold.length > 0; untold = this.next()) {
      await this.tell(untold);
      for (const caller of untold) {
        this.untold.delete(caller);
        this.onLeft(caller);
      }
    }
  }

  private next(): bigint[] {
    const next: bigint[] = [];
    for (const caller of this.untold) if (next.push(caller) === mostAtOnce) break;
    return next;
  }
}
