import { bytes, room } from "../kernel-behaviour/calls.ts";
import { level, option, receivedBy, type Socket } from "../kernel-behaviour/sockets.ts";

/** A socket whose calls a test makes one by one, in a process of its own. */
export class CallerSocket implements AsyncDisposable {
  readonly socket: Socket;
  /** Whom it is to call, as a struct sockaddr. */
  readonly name: Buffer;

  constructor(socket: Socket, name: Buffer) {
    this.socket = socket;
    this.name = name;
  }

  /** @throws Error if it cannot */
  async connect(): Promise<void> {
    const { calls, fd } = this.socket;
    await calls.must("connect", fd, bytes(this.name), this.name.length);
  }

  /** What comes until it is enough, or the other end sends no more. @throws Error if nothing comes for 10 s */
  async receive(isEnough: (received: string) => boolean): Promise<string> {
    const { calls, fd } = this.socket;
    await this.socket.setOption(
      level.socket,
      option.receiveTimeout,
      Buffer.from(BigInt64Array.of(10n, 0n).buffer),
    );
    const size = 65_536;
    let received = "";
    while (!isEnough(received)) {
      const piece = receivedBy(await calls.must("recvfrom", fd, room(size), size, 0, 0, 0));
      if (piece === "") break;
      received += piece;
    }
    return received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket.calls[Symbol.asyncDispose]();
  }
}
