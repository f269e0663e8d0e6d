import type { Writable } from "node:stream";

/** Pieces that wait on one connection, in one direction, however short they are. */
export const mostPieces = 256;

const lineEnd = Buffer.from("\r\n");

/**
 * Writes pieces of a body as they come. Node bounds what waits by its bytes (`mostWaiting`), but keeps some hundred more for each
 * piece: pieces of one byte would take a hundred times as much.
 */
export class PieceWriter {
  private readonly to: Writable;
  private readonly onRoom: () => void;
  private waiting = 0;

  /** @param onRoom called once pieces may follow where too many waited; where too many bytes did, "drain" tells */
  constructor(to: Writable, onRoom: () => void) {
    this.to = to;
    const onTaken = (): void => {
      this.waiting = 0;
      onRoom();
    };
    this.onRoom = onTaken;
  }

  /** @returns false: wait until there is room */
  write(piece: Uint8Array): boolean {
    this.count();
    return this.writeCounted(piece);
  }

  /** The same, as a chunk of RFC 9112 7.1. @param piece not empty, which would be the last one */
  writeChunk(piece: Uint8Array): boolean {
    const { to } = this;
    this.count();
    to.cork();
    to.write(`${piece.length.toString(16)}\r\n`, "latin1");
    to.write(piece);
    const hasRoom = this.writeCounted(lineEnd);
    to.uncork();
    return hasRoom;
  }

  private count(): void {
    if (this.to.writableLength === 0) this.waiting = 0;
    this.waiting++;
  }

  private writeCounted(piece: Uint8Array): boolean {
    // Once that one is on its way, so are all before it.
    const hasRoom = this.waiting === mostPieces ? this.to.write(piece, this.onRoom) : this.to.write(piece);
    return hasRoom && this.waiting < mostPieces;
  }
}
