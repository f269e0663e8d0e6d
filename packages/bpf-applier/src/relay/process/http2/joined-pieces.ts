import type { Http2Stream } from "node:http2";
import { mostPieces } from "../piece-writer.ts";

/**
 * Joins what comes on a stream while nobody reads it: a peer may send all that the window lets it in frames of one byte, and Node
 * keeps each of them as a piece of its own, which takes a hundred times as much.
 *
 * @param stream of which nothing has come yet; it is read by "data", not by `read()`
 */
export function joinPieces(stream: Http2Stream): void {
  const push = stream.push.bind(stream);
  let held: Buffer[] = [];
  const release = (): void => {
    if (held.length === 0) return;
    const all = held.length === 1 ? held[0] : Buffer.concat(held);
    held = [];
    push(all);
  };
  const joined = (piece: Buffer | null): boolean => {
    if (piece === null) release();
    // Who has just resumed gets what is held first, with the event.
    if (piece === null || (stream.readableFlowing === true && held.length === 0)) return push(piece);
    held.push(piece);
    if (held.length >= mostPieces) held = [Buffer.concat(held)];
    return false;
  };
  stream.push = joined;
  stream.on("resume", release);
}
