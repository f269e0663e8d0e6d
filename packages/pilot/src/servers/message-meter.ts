/** Bytes before each message of gRPC over HTTP/2: whether it is compressed, and its length. */
const prefixBytes = 5;

/** What a piece that arrived by itself takes in memory beside its bytes, about. */
const pieceBytes = 200;

/** Follows the messages that arrive on one gRPC stream, and keeps none of them. */
export class MessageMeter {
  /** Messages that are there whole. */
  whole = 0;
  /** Bytes that are kept for the message that is not, with what it costs to keep them. */
  unfinished = 0;
  private prefix = 0;
  private length = 0;
  private missing = 0;

  take(piece: Uint8Array): void {
    this.unfinished += piece.length + pieceBytes;
    for (let at = 0; at < piece.length; ) at = this.missing > 0 ? this.skip(piece, at) : this.read(piece, at);
    if (this.prefix === 0) this.unfinished = 0;
  }

  private skip(piece: Uint8Array, at: number): number {
    const here = Math.min(this.missing, piece.length - at);
    this.missing -= here;
    if (this.missing === 0) this.end();
    return at + here;
  }

  private read(piece: Uint8Array, at: number): number {
    if (this.prefix > 0) this.length = this.length * 256 + (piece[at] ?? 0);
    this.prefix += 1;
    if (this.prefix === prefixBytes) {
      this.missing = this.length;
      if (this.missing === 0) this.end();
    }
    return at + 1;
  }

  private end(): void {
    this.whole += 1;
    this.prefix = 0;
    this.length = 0;
  }
}
