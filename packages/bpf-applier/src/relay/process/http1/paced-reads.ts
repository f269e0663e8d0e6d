import type { Socket } from "node:net";

const headEnd = Buffer.from("\r\n\r\n");
const nothing = Buffer.alloc(0);

/** What is known of the request that came last. */
export interface RequestsOnTheWay {
  /** One is under way of which all was read: what comes belongs to the next one. */
  readonly isNextToCome: boolean;
  /** Nobody parses requests any more: what comes is for whoever reads the connection then. */
  readonly isLast: boolean;
}

/**
 * Gives a connection's bytes to Node's parser, no further than to the end of a request that is under way. What is pipelined behind
 * it stays bytes, and of those one read: the connection is not read until the answer has left. So requests are carried out one after
 * the other (RFC 9112 9.3.2), and no caller can begin many at once. (Left to itself, Node parses all that it has read.)
 *
 * Pieces end with a head, and with a body. The parser wants "\r\n" alone as a line's end, so that a head ends as one can find it,
 * and a chunked body does, too; that its data may have the same is no harm.
 */
export class PacedReads {
  private readonly socket: Socket;
  private readonly requests: RequestsOnTheWay;
  private readonly parse: (bytes: Buffer) => void;
  /** Of the last piece, where it was no end: up to 3 bytes that the next one may make one of. */
  private tail: Buffer = nothing;
  /** Bytes of a body that are still to come. */
  private bodyLeft = 0;
  private waits = false;

  /** @param parse what listens to the socket's bytes now, in whose place it goes */
  constructor(socket: Socket, requests: RequestsOnTheWay, parse: (bytes: Buffer) => void) {
    this.socket = socket;
    this.requests = requests;
    this.parse = parse;
    socket.on("data", this.onBytes); // Node's parser reads the socket past the stream, but for this
    socket.off("data", parse);
  }

  /** A head was parsed just now. @param bodyLength of its body, if it has one of known length */
  expectBody(bodyLength: number): void {
    this.bodyLeft = bodyLength;
  }

  /** The answer to the request of now has left. */
  goOn(): void {
    if (!this.waits) return;
    this.waits = false;
    this.socket.resume();
  }

  private readonly onBytes = (bytes: Buffer): void => {
    const { socket, requests } = this;
    let at = 0;
    // What comes behind the relay's own end gets no answer.
    while (at < bytes.length && socket.writable) {
      if (requests.isNextToCome) this.waits = true;
      if (this.waits || socket.isPaused()) {
        socket.pause();
        return socket.unshift(bytes.subarray(at));
      }
      const piece = this.pieceOf(at === 0 ? bytes : bytes.subarray(at));
      at += piece.length;
      this.parse.call(socket, piece);
      if (requests.isLast) return this.leave(bytes.subarray(at));
    }
  };

  private pieceOf(bytes: Buffer): Buffer {
    if (this.bodyLeft === 0) return bytes.subarray(0, this.endIn(bytes));
    const piece = bytes.subarray(0, this.bodyLeft);
    this.bodyLeft -= piece.length;
    return piece;
  }

  /** @returns how many bytes it is to the end of what may be a head, or to theirs */
  private endIn(bytes: Buffer): number {
    const { tail } = this;
    const all = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
    const end = all.indexOf(headEnd);
    this.tail = end === -1 ? Buffer.from(all.subarray(1 - headEnd.length)) : nothing;
    return end === -1 ? bytes.length : end + headEnd.length - tail.length;
  }

  private leave(rest: Buffer): void {
    this.socket.off("data", this.onBytes);
    if (rest.length > 0) this.socket.unshift(rest);
  }
}
