import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

/** Of a message's length, in front of it. */
const lengthBytes = 4;

/** @param sent as in {@link MessageStream.send} */
export function sendMessage(socket: Socket, message: unknown, sent?: (error?: Error | null) => void): void {
  const body = serialize(message);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(body.length);
  socket.cork();
  socket.write(length);
  socket.write(body, sent);
  socket.uncork();
}

/** Messages between agent and relay: values as V8 writes them, each behind its length. */
export class MessageStream {
  private readonly socket: Socket;
  private readonly onMessage: (message: unknown) => void;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;

  /**
   * @param socket which is this object's from now on
   * @param onEnd called once: the other side is gone, or has said what is no message
   */
  constructor(socket: Socket, onMessage: (message: unknown) => void, onEnd: () => void) {
    this.socket = socket;
    this.onMessage = onMessage;
    socket.on("error", () => undefined); // "close" follows
    socket.on("data", (chunk: Buffer) => this.onData(chunk));
    socket.once("end", () => socket.destroy());
    socket.once("close", onEnd);
  }

  /** @param sent told once the message has left, or why it cannot */
  send(message: unknown, sent?: (error?: Error | null) => void): void {
    sendMessage(this.socket, message, sent);
  }

  /** What was sent before still leaves. */
  close(): void {
    this.socket.destroySoon();
  }

  private onData(chunk: Buffer): void {
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    for (let message = this.take(); message !== undefined; message = this.take()) {
      try {
        this.onMessage(deserialize(message));
      } catch (error) {
        this.socket.destroy(error as Error);
        return;
      }
    }
  }

  /** The next one, if it is whole. */
  private take(): Buffer | undefined {
    if (this.waitingBytes < lengthBytes) return undefined;
    const bytes = this.joined(lengthBytes);
    const whole = lengthBytes + bytes.readUInt32LE();
    if (this.waitingBytes < whole) return undefined;
    const all = this.joined(whole);
    this.waiting = [all.subarray(whole)];
    this.waitingBytes -= whole;
    return all.subarray(lengthBytes, whole);
  }

  /** What waits, so far as its first bytes are in one piece. A large message is put together once, when it is whole. */
  private joined(least: number): Buffer {
    const [first = Buffer.alloc(0)] = this.waiting;
    if (first.length >= least) return first;
    const all = Buffer.concat(this.waiting);
    this.waiting = [all];
    return all;
  }
}
