/** Why a node did not take a response. */
export interface Rejection {
  /** Version of the response. */
  readonly version: string;
  readonly message: string;
  readonly at: Date;
}

/** What the client of one type rejected and is not over yet. */
export class Rejections {
  /** Names in rejected responses, until a later response about them is acked. */
  private readonly names = new Set<string>();
  private latest: Rejection | undefined;

  /** The last nack, until all that was rejected has been replaced or removed, and that was acked. */
  get last(): Rejection | undefined {
    return this.latest;
  }

  add(rejection: Rejection, names: Iterable<string>): void {
    this.latest = rejection;
    for (const name of names) this.names.add(name);
  }

  /** The client took a response that was about `names`. */
  acked(names: Iterable<string>): void {
    if (this.names.size === 0) this.latest = undefined;
    this.settle(names);
  }

  /** Only what `matters` does any more. */
  keep(matters: (name: string) => boolean): void {
    this.settle([...this.names].filter((name) => !matters(name)));
  }

  private settle(names: Iterable<string>): void {
    if (this.names.size === 0) return;
    for (const name of names) this.names.delete(name);
    if (this.names.size === 0) this.latest = undefined;
  }
}
