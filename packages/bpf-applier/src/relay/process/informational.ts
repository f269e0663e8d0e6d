/** Bytes of all 1xx heads of one answer: as many as those of one head. */
const most = 65_536;
/** Each counts so many more: what is kept of one that waits for its caller is more than its bytes. */
const overhead = 64;

/**
 * Counts the 1xx heads of one answer. All are handed on, however slowly the caller reads, so they must not be without end; nginx
 * has the same bound, and answers the same.
 */
export class Informational {
  /** Why an answer is none. */
  static readonly tooMany = `its 1xx heads are longer than ${most} bytes`;
  private bytes = 0;

  get isNone(): boolean {
    return this.bytes === 0;
  }

  /** @returns whether that one may still be handed on */
  add(bytes: number): boolean {
    this.bytes += bytes + overhead;
    return this.bytes <= most;
  }
}
