/** Work that makes things, so that who removes them can wait for it and nothing appears behind his back. */
export class Work {
  private readonly underWay = new Set<Promise<void>>();
  private ended: string | undefined;

  /** @throws Error if no work is taken any more. */
  async do<T>(make: () => Promise<T>): Promise<T> {
    if (this.ended !== undefined) throw new Error(this.ended);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.underWay.add(done);
    try {
      return await make();
    } finally {
      this.underWay.delete(done);
      resolve();
    }
  }

  /**
   * Takes no work from now on.
   * @param reason what those who come later are told
   * @returns resolves when what is under way is done, well or not.
   */
  async end(reason: string): Promise<void> {
    this.ended = reason;
    await Promise.all(this.underWay);
  }
}
