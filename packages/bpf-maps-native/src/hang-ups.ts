import { type NativeHandle, native } from "./native.ts";

/** Tokens are numbers of 32 bits. */
const tokens = 2 ** 32;

/**
 * Tells of connections whose other end has said that it sends no more, or that have failed: bytes that arrive do not wake this
 * process. Does not keep it alive.
 */
export class HangUps implements Disposable {
  readonly #handle: NativeHandle;
  /** By tokens. */
  readonly #watched = new Map<number, () => void>();
  /** By descriptors. */
  readonly #tokens = new Map<number, number>();
  #lastToken = 0;

  constructor() {
    this.#handle = native.openHangUps((told) => {
      for (const token of told) this.#watched.get(token)?.();
    });
  }

  /**
   * @param onHangUp called once, later; also if it has happened before
   * @returns ends it. To be called before the descriptor is closed: as long as another one is open for the socket, the kernel goes on
   * @throws BpfError if the descriptor is watched already, or cannot be
   */
  add(fd: number, onHangUp: () => void): () => void {
    let token = this.#lastToken;
    do token = (token + 1) % tokens;
    while (this.#watched.has(token));
    native.addHangUp(this.#handle, fd, token);
    this.#lastToken = token;
    this.#watched.set(token, onHangUp);
    this.#tokens.set(fd, token);
    return () => this.#delete(fd, token);
  }

  #delete(fd: number, token: number): void {
    if (!this.#watched.delete(token)) return;
    // Else it was closed, and its number is another one's.
    if (this.#tokens.get(fd) !== token) return;
    this.#tokens.delete(fd);
    native.deleteHangUp(this.#handle, fd);
  }

  close(): void {
    this.#watched.clear();
    this.#tokens.clear();
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The kernel no longer wakes this process for a socket of which nothing is being read or written here. Node leaves it where it was
 * until it is told of an event, and of bytes that a program has moved on it is only woken. Who reads or writes again is woken again.
 * @throws BpfError if there is no such descriptor
 */
export function leaveLoop(fd: number): void {
  native.leaveLoop(fd);
}
