import type { Socket } from "node:net";
import { type Spoken, spokenIn } from "./first-bytes.ts";
import { peek } from "./peek.ts";

const telling = { tell: spokenIn, otherwise: "other" as Spoken, enough: 32 };
/** How long it is waited for where the server may be the one to begin. */
const eitherWaitMs = 100;

/** Milliseconds. */
export interface OpeningTimes {
  /** Without a byte, where the caller is the one to begin. */
  readonly idleMs: number;
  /** From the first byte to as many as tell what is spoken. */
  readonly headMs: number;
}

/** Reads by a caller's first bytes what it speaks. One that is to begin and does not, or does not go on, is closed. */
export class OpeningBytes {
  private readonly times: OpeningTimes;

  constructor(times: OpeningTimes) {
    this.times = times;
  }

  /**
   * Of a caller that is the one to begin.
   * @param told not called where the connection is closed before
   */
  read(socket: Socket, told: (spoken: Spoken) => void): void {
    const close = (): unknown => socket.destroy();
    let timer = setTimeout(close, this.times.idleMs);
    const onPart = (): void => {
      clearTimeout(timer);
      timer = setTimeout(close, this.times.headMs);
    };
    const onClose = (): void => clearTimeout(timer);
    socket.once("close", onClose);
    peek(socket, { ...telling, waitMs: undefined, onPart }, (spoken) => {
      clearTimeout(timer);
      socket.off("close", onClose);
      told(spoken);
    });
  }

  /** Where the server may begin: what has told nothing by then is for the server. */
  readEither(socket: Socket, told: (spoken: Spoken) => void): void {
    peek(socket, { ...telling, waitMs: eitherWaitMs }, told);
  }
}
