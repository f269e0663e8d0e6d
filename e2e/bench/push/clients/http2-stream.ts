import { connect, type Socket } from "node:net";

const frameHeadBytes = 9;
const frame = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const flag = { ack: 1, endHeaders: 4, padded: 8 } as const;
const setting = { headerTableSize: 1, enablePush: 2, initialWindowSize: 4 } as const;

/** The only stream of the connection. */
const streamId = 1;
const largestWindow = 2 ** 31 - 1;
const firstWindow = 65_535;
/** A peer takes frames of this size without having said so. */
const largestFrame = 16_384;

function frameOf(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, frameHeadBytes);
  return bytes;
}

function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frameOf(frame.settings, 0, 0, payload);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A string of fewer than 127 bytes, not compressed (RFC 7541, 5.2). */
const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);

/** Headers of a gRPC call; numbers are of the static table (RFC 7541, appendix A), all values literal. */
const callHeaders = (path: string, authority: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x80 | 3, 0x80 | 6, 4]),
    text(path),
    Buffer.from([1]),
    text(authority),
    Buffer.from([0x0f, 31 - 15]),
    text("application/grpc"),
    Buffer.from([0]),
    text("te"),
    text("trailers"),
  ]);

export interface StreamEvents {
  /** One gRPC message. */
  readonly onMessage: (message: Buffer) => void;
  /** The call is over, which no call here should be. */
  readonly onEnd: (why: string) => void;
}

/**
 * One gRPC call on an HTTP/2 connection of its own, with no more of HTTP/2 than that takes: headers that come are not
 * read, and all that the server may send fits its window.
 */
export class Http2Stream {
  received = 0;
  private readonly socket: Socket;
  private readonly events: StreamEvents;
  /** Read, but not a whole frame yet. */
  private rest: Buffer | undefined;
  /** Of data frames, not a whole message yet. */
  private readonly pieces: Buffer[] = [];
  private pieceBytes = 0;
  /** How much the server lets us send: on the connection, on the stream. */
  private room: [number, number] = [firstWindow, firstWindow];
  private grantedPerStream = firstWindow;
  private readonly waiting: Buffer[] = [];

  constructor(port: number, path: string, events: StreamEvents) {
    this.events = events;
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("data", (bytes: Buffer) => this.read(bytes));
    this.socket.on("error", (error) => events.onEnd(error.message));
    this.socket.on("close", () => events.onEnd("the server closed the connection"));
    this.socket.write(
      Buffer.concat([
        Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        settingsFrame([
          [setting.headerTableSize, 0],
          [setting.enablePush, 0],
          [setting.initialWindowSize, largestWindow],
        ]),
        frameOf(frame.windowUpdate, 0, 0, uint32(largestWindow - firstWindow)),
        frameOf(frame.headers, flag.endHeaders, streamId, callHeaders(path, `127.0.0.1:${port}`)),
      ]),
    );
  }

  /** @param parts of one message. */
  send(...parts: readonly Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(length, 1);
    const message = Buffer.concat([head, ...parts]);
    for (let from = 0; from < message.length; from += largestFrame)
      this.waiting.push(message.subarray(from, from + largestFrame));
    this.flush();
  }

  private flush(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const { length } = next;
      if (this.room.some((room) => room < length)) return;
      this.room = [this.room[0] - length, this.room[1] - length];
      this.waiting.shift();
      this.socket.write(frameOf(frame.data, 0, streamId, next));
    }
  }

  private read(bytes: Buffer): void {
    this.received += bytes.length;
    let all = this.rest === undefined ? bytes : Buffer.concat([this.rest, bytes]);
    while (all.length >= frameHeadBytes) {
      const end = frameHeadBytes + all.readUIntBE(0, 3);
      if (all.length < end) break;
      this.take(all.readUInt8(3), all.readUInt8(4), all.readUInt32BE(5), all.subarray(frameHeadBytes, end));
      all = all.subarray(end);
    }
    this.rest = all.length === 0 ? undefined : all;
  }

  private take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === frame.data) this.takeData(flags, payload);
    else if (type === frame.settings && (flags & flag.ack) === 0) this.takeSettings(payload);
    else if (type === frame.ping && (flags & flag.ack) === 0)
      this.socket.write(frameOf(frame.ping, flag.ack, 0, payload));
    else if (type === frame.windowUpdate) this.grant(stream, payload.readUInt32BE(0));
    else if (type === frame.reset) this.events.onEnd(`stream reset, code ${payload.readUInt32BE(0)}`);
    else if (type === frame.goAway)
      this.events.onEnd(`the server said to go away, code ${payload.readUInt32BE(4)}`);
    else if (type === frame.headers && (flags & 1) !== 0) this.events.onEnd("the server ended the call");
  }

  private takeSettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== setting.initialWindowSize) continue;
      const granted = payload.readUInt32BE(at + 2);
      this.room[1] += granted - this.grantedPerStream;
      this.grantedPerStream = granted;
    }
    this.socket.write(frameOf(frame.settings, flag.ack, 0, Buffer.alloc(0)));
    this.flush();
  }

  private grant(stream: number, bytes: number): void {
    this.room[stream === 0 ? 0 : 1] += bytes;
    this.flush();
  }

  private takeData(flags: number, payload: Buffer): void {
    if ((flags & flag.padded) !== 0) throw new Error("padded frames are not understood");
    this.pieces.push(payload);
    this.pieceBytes += payload.length;
    for (;;) {
      if (this.pieceBytes < 5) return;
      const [first] = this.pieces;
      const head = first !== undefined && first.length >= 5 ? first : this.join();
      if (head.readUInt8(0) !== 0) throw new Error("compressed messages are not understood");
      const length = 5 + head.readUInt32BE(1);
      if (this.pieceBytes < length) return;
      const all = this.join();
      this.pieces.length = 0;
      this.pieceBytes -= length;
      if (this.pieceBytes > 0) this.pieces.push(all.subarray(length));
      this.events.onMessage(all.subarray(5, length));
    }
  }

  private join(): Buffer {
    const [first] = this.pieces;
    if (first !== undefined && this.pieces.length === 1) return first;
    const all = Buffer.concat(this.pieces);
    this.pieces.splice(0, this.pieces.length, all);
    return all;
  }
}
