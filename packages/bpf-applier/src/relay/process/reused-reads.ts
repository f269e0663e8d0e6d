import type { OnReadOpts, Socket } from "node:net";

/** Bytes of a buffer at first, and at most: one that was filled is followed by one of twice its size. */
const least = 16_384;
const most = 65_536;

/**
 * What is read of one connection: into the same buffer again where nothing of the last read is needed any more. With a buffer for
 * each read, as streams have them, V8 looks for garbage all the time, as it goes by the bytes beside its heap, too.
 */
export class ReusedReads {
  /** For the socket's constructor. */
  readonly onread: OnReadOpts = {
    buffer: () => this.buffer,
    callback: (length) => this.onRead(length),
  };
  /** Is given each read. @returns whether nothing of it is needed any more */
  onBytes: (bytes: Buffer) => boolean = () => false;
  private buffer = Buffer.allocUnsafeSlow(least);

  /** From now on, what is read goes to the socket's stream, which is to be paused. */
  toStream(socket: Socket): void {
    this.onBytes = (bytes) => {
      // Where there is no room for more, whoever reads of the stream pauses the socket, and so these reads.
      socket.push(bytes);
      return false;
    };
  }

  private onRead(length: number): boolean {
    const { buffer } = this;
    const isFull = length === buffer.length && length < most;
    if (!this.onBytes(buffer.subarray(0, length)) || isFull) {
      this.buffer = Buffer.allocUnsafeSlow(isFull ? 2 * length : buffer.length);
    }
    return true;
  }
}
