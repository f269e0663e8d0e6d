import type { OnReadOpts, Socket } from "node:net";

/** Bytes of a buffer at first, and at most: one that was filled is followed by one of twice its size. */
const least = 16_384;
const most = 65_536;
/** So many reads one after the other that the least would have held, and it is back at the least. */
const smallReads = 64;
/** What is left of a buffer is read into if it has as many bytes: fewer would cut what comes into too many reads. */
const leastRest = 4_096;

/**
 * What is read of one connection: into the same bytes again where nothing of the last read is needed any more, else behind them, so
 * that small reads that are kept hold little more than their own bytes. With a buffer for each read, as streams have them, V8 looks
 * for garbage all the time, as it goes by the bytes beside its heap, too.
 */
export class ReusedReads {
  /** For the socket's constructor. */
  readonly onread: OnReadOpts = {
    buffer: () => this.buffer,
    callback: (length) => this.onRead(length),
  };
  /** Is given each read. @returns whether nothing of it is needed any more */
  onBytes: (bytes: Buffer) => boolean = () => false;
  /** For the next read: a whole buffer, or what is left of one. */
  private buffer: Buffer = Buffer.allocUnsafeSlow(least);
  private smallInARow = 0;

  /** From now on, what is read goes to the socket's stream, which is to be paused. */
  toStream(socket: Socket): void {
    const push = (bytes: Buffer): boolean => {
      // Where there is no room for more, whoever reads of the stream pauses the socket, and so these reads.
      socket.push(bytes);
      return false;
    };
    this.onBytes = push;
  }

  private onRead(length: number): boolean {
    const isFree = this.onBytes(this.buffer.subarray(0, length));
    this.buffer = this.bufferAfter(length, isFree);
    return true;
  }

  private bufferAfter(length: number, isFree: boolean): Buffer {
    const { buffer } = this;
    const size = this.sizeAfter(length);
    const rest = buffer.length - length;
    const isWhole = buffer.length === buffer.buffer.byteLength;
    if (isFree && isWhole) return size === buffer.length ? buffer : Buffer.allocUnsafeSlow(size);
    // Nobody here knows when what is kept of a buffer goes: what is left of it does not grow again.
    if (isFree && rest > 0) return buffer;
    return !isFree && rest >= leastRest ? buffer.subarray(length) : Buffer.allocUnsafeSlow(size);
  }

  /** Bytes that are right for a whole buffer after a read. */
  private sizeAfter(length: number): number {
    const size = this.buffer.buffer.byteLength;
    this.smallInARow = length < least ? this.smallInARow + 1 : 0;
    if (length === size) return Math.min(2 * size, most);
    return this.smallInARow < smallReads ? size : least;
  }
}
