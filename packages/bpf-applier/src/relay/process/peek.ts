import type { Socket } from "node:net";

export interface PeekOptions<Told> {
  /** @returns undefined: more bytes are needed */
  readonly tell: (bytes: Buffer) => Told | undefined;
  /** What it is taken for where that cannot be told. */
  readonly otherwise: Told;
  /** By so many bytes it can be told. */
  readonly enough: number;
  /** After which it is taken for the other; undefined: it is waited for as long as it takes. */
  readonly waitMs: number | undefined;
  /** Some bytes have come, and more are needed; called once. */
  readonly onPart?: () => void;
}

/** Reads as many of a connection's first bytes as are needed to tell something by them, and puts them back. */
export function peek<Told>(socket: Socket, options: PeekOptions<Told>, told: (what: Told) => void): void {
  const { tell, otherwise, enough, waitMs, onPart } = options;
  let read: Buffer = Buffer.alloc(0);
  const done = (what: Told): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
    socket.off("close", onClose);
    if (read.length > 0) socket.unshift(read);
    told(what);
  };
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    const isFirst = read.length === 0;
    read = isFirst ? chunk : Buffer.concat([read, chunk]);
    const what = tell(read) ?? (read.length >= enough ? otherwise : undefined);
    if (what !== undefined) done(what);
    else if (isFirst) onPart?.();
  };
  const onEnd = (): void => done(otherwise);
  const onClose = (): void => clearTimeout(timer);
  const timer = waitMs === undefined ? undefined : setTimeout(() => done(otherwise), waitMs);
  socket.on("readable", onReadable);
  socket.once("end", onEnd);
  socket.once("close", onClose);
}
