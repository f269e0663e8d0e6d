import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection that somebody opened. */
export interface RawSocket {
  readonly socket: Socket;
  /** Whether the other side has ended it. */
  readonly closed: () => boolean;
}

export async function openSocket(port: number, bytes: Uint8Array | string = ""): Promise<RawSocket> {
  const socket = connect(port, "127.0.0.1");
  let closed = false;
  socket.on("error", () => undefined);
  socket.once("close", () => (closed = true));
  socket.resume();
  await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => undefined);
  if (bytes.length > 0 && !closed) socket.write(bytes);
  return { socket, closed: () => closed };
}

export interface Opened {
  readonly sockets: readonly RawSocket[];
  readonly close: () => void;
}

/** Opens many, some at a time: a listener's queue is short. */
export async function openSockets(
  port: number,
  count: number,
  bytes: () => Uint8Array | string,
): Promise<Opened> {
  const sockets: RawSocket[] = [];
  const atOnce = 100;
  for (let opened = 0; opened < count; opened += atOnce) {
    const some = Math.min(atOnce, count - opened);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => openSocket(port, bytes())))));
  }
  const close = (): void => {
    for (const { socket } of sockets) socket.destroy();
  };
  return { sockets, close };
}

/** Writes pieces as fast as they are taken, until the other side ends the connection. @returns how many were taken */
export async function flood({ socket, closed }: RawSocket, pieces: Iterable<Uint8Array>): Promise<number> {
  let taken = 0;
  for (const piece of pieces) {
    if (closed()) break;
    if (!socket.write(piece))
      await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
    taken += 1;
  }
  // What was written reaches it before the answer to this.
  if (!closed())
    await Promise.race([new Promise((resolve) => socket.write("", resolve)), once(socket, "close")]);
  return taken;
}
