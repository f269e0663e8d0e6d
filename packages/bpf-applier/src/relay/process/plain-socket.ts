import { Socket } from "node:net";

/** What Node's sockets have beneath them; not documented, the same since Node 0.12. */
interface Handle {
  /** -1: it is closed. */
  readonly fd: number;
  readStart(): number;
  readStop(): number;
}

const handleOf = (socket: Socket): Handle | undefined =>
  (socket as unknown as { readonly ["_handle"]?: Handle | null })["_handle"] ?? undefined;

/** The descriptor of an open TCP connection; undefined: it has none. */
export function descriptorOf(socket: Socket): number | undefined {
  const fd = handleOf(socket)?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

/**
 * No byte is read from now on, where `pause` alone reads until the stream's buffer is full. The stream takes it for reading,
 * and so does not begin anew by itself.
 */
export function stopReading(socket: Socket): void {
  handleOf(socket)?.readStop();
}

/** Goes on after `stopReading`. */
export function startReading(socket: Socket): void {
  handleOf(socket)?.readStart();
}

const writtenPast = new WeakMap<Socket, { bytes: number }>();

/** Bytes that were written past the stream: `bytesWritten` tells them, too. */
export function countWritten(socket: Socket, bytes: number): void {
  const known = writtenPast.get(socket);
  if (known !== undefined) {
    known.bytes += bytes;
    return;
  }
  const past = { bytes };
  writtenPast.set(socket, past);
  Object.defineProperty(socket, "bytesWritten", {
    get: () => Reflect.get<Socket, "bytesWritten">(Socket.prototype, "bytesWritten", socket) + past.bytes,
  });
}
