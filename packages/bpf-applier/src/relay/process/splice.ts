import type { Duplex } from "node:stream";
import { PieceWriter } from "./piece-writer.ts";

/**
 * Bytes that wait on one connection, in one direction, before the other side is not read any more. Several reads fit in: at one
 * (64 KiB, Node's default) each would stop the next, which costs large bodies a quarter more CPU.
 */
export const mostWaiting = 262_144;

/** Bytes that were carried from one end to the other. */
export interface Carried {
  /** From the first to the second. */
  sent: number;
  received: number;
}

/**
 * Carries bytes between two connections until both directions have ended: with back pressure, an end of one direction handed
 * on as such (half-close), and an abort of one as an abort of the other.
 *
 * @param done called once, when both are closed or one was aborted
 */
export function splice(first: Duplex, second: Duplex, done: (carried: Carried) => void): void {
  const carried: Carried = { sent: 0, received: 0 };
  let open = 2;
  const closed = (): void => {
    open--;
    if (open === 0) done(carried);
  };
  carry(first, second, (bytes) => (carried.sent += bytes));
  carry(second, first, (bytes) => (carried.received += bytes));
  first.once("close", closed);
  second.once("close", closed);
}

function carry(from: Duplex, to: Duplex, count: (bytes: number) => void): void {
  const onRoom = (): unknown => from.resume();
  const pieces = new PieceWriter(to, onRoom);
  from.on("data", (chunk: Buffer) => {
    count(chunk.length);
    if (!pieces.write(chunk)) from.pause();
  });
  to.on("drain", onRoom);
  // One that said so before anybody listened says it no more.
  if (from.readableEnded) to.end();
  else from.once("end", () => to.end());
  from.on("error", () => to.destroy());
  // Without an end before it, it was aborted, which the other end is to see, too.
  from.on("close", () => {
    if (!from.readableEnded || !from.writableFinished) to.destroy();
  });
  from.resume();
}
