import { type NativeHandle, native } from "./native.ts";

/** How the carrying of bytes ended. */
export interface PumpEnd {
  /** Bytes that the target took. */
  readonly moved: number;
  /** "whole": all of them; "source": it said that it sends no more, or failed; "target": it failed. */
  readonly how: "whole" | "source" | "target";
  /** Of the system call that failed; 0: none did. */
  readonly errno: number;
  /** The source had sent more than all of them by then, which was left there. */
  readonly more: boolean;
}

const ends = ["whole", "source", "target"] as const;

/**
 * Carries a number of bytes from one stream socket to another on the event loop, without their becoming objects of
 * JavaScript: no more is read than the target takes. Meanwhile nobody else may read from the one, or write to the other.
 * The descriptors stay their owners'; a connection ends only when the pump has ended or is closed, too.
 */
export class SocketPump implements Disposable {
  readonly #handle: NativeHandle;
  #ended: PumpEnd | undefined;

  /**
   * @param length 1 or more bytes
   * @param onEnd called once, later, unless it is closed before
   */
  constructor(from: number, to: number, length: number, onEnd: (end: PumpEnd) => void) {
    if (!Number.isSafeInteger(length) || length < 1)
      throw new RangeError(`length must be 1 or more bytes, found ${length}`);
    this.#handle = native.startPump(from, to, length, (moved, how, errno, more) => {
      const end = { moved, how: ends[how] ?? "source", errno, more };
      this.#ended = end;
      native.close(this.#handle);
      onEnd(end);
    });
  }

  /** Bytes that the target took so far. */
  get moved(): number {
    return this.#ended?.moved ?? native.pumpMoved(this.#handle);
  }

  /** Ends it where it stands; bytes that were read and not taken are lost. @returns bytes that the target took */
  close(): number {
    const { moved } = this;
    this.#ended ??= { moved, how: "source", errno: 0, more: false };
    native.close(this.#handle);
    return moved;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
