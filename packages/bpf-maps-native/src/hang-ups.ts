import { type NativeHandle, native } from "./native.ts";

/**
 * Tells of connections whose other end has said that it sends no more, or that have failed: bytes that arrive do not wake this
 * process. Does not keep it alive.
 */
export class HangUps implements Disposable {
  readonly #handle: NativeHandle;
  #closed = false;

  /** @param onHangUp called once for each socket, with its cookie; also if it has happened before it was added */
  constructor(onHangUp: (cookie: bigint) => void) {
    this.#handle = native.openHangUps((cookies) => cookies.forEach(onHangUp));
  }

  /** @throws BpfError if the descriptor is watched already, or cannot be */
  add(fd: number, cookie: bigint): void {
    native.addHangUp(this.#handle, fd, cookie);
  }

  /**
   * To be called before the descriptor is closed: as long as another one is open for the socket, the kernel goes on, and may tell of
   * it yet. Does nothing after `close`.
   */
  delete(fd: number): void {
    if (!this.#closed) native.deleteHangUp(this.#handle, fd);
  }

  close(): void {
    this.#closed = true;
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The kernel no longer wakes this process for a socket of which nothing is being read or written here: if something is, Node ends the
 * process. Node leaves the socket where it was until it is told of an event, and of bytes that a program has moved on it is only
 * woken. Who reads or writes again is woken again.
 * @throws BpfError if there is no such descriptor
 */
export function leaveLoop(fd: number): void {
  native.leaveLoop(fd);
}
