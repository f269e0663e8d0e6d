import { makeSharedMemory, mapSharedMemory } from "bpf-maps-native";

/** How far a relay has gone on a connection. */
export interface Position {
  /** Bytes read: the end of a request. */
  readonly read: number;
  /** Bytes written: the end of its answer. */
  readonly written: number;
}

/** Connections at a time; those beyond are not held. */
const most = 262_144;
const bytesEach = 16;
const bytes = most * bytesEach;

/**
 * Where each connection last stood between two requests, in memory that outlives this process. Whoever finds a connection's own
 * counts to be these knows that nothing of a request was under way. A position is written in two steps, what was written
 * first: with that step alone it is that of no moment, as every request has bytes, and the connection is not believed to stand
 * between two of them.
 */
export class Ledger {
  private readonly numbers: Float64Array;
  /** Places below `next` that are free. */
  private readonly free: number[] = [];
  private next = 0;

  /** @param taken places in it */
  constructor(fd: number, taken: ReadonlySet<number> = new Set()) {
    this.numbers = new Float64Array(mapSharedMemory(fd, bytes));
    for (const place of taken) this.next = Math.max(this.next, place + 1);
    for (let place = 0; place < this.next; place++) if (!taken.has(place)) this.free.push(place);
  }

  /** A descriptor of an empty one. */
  static make(): number {
    return makeSharedMemory("keelson-relay-ledger", bytes);
  }

  /** A place for a connection on which nothing was read or written. @returns undefined: all are taken */
  take(): number | undefined {
    const place = this.free.pop() ?? (this.next < most ? this.next++ : undefined);
    if (place !== undefined) this.write(place, 0, 0);
    return place;
  }

  release(place: number): void {
    this.free.push(place);
  }

  write(place: number, read: number, written: number): void {
    this.numbers[2 * place + 1] = written;
    this.numbers[2 * place] = read;
  }

  at(place: number): Position {
    return { read: this.numbers[2 * place] ?? 0, written: this.numbers[2 * place + 1] ?? 0 };
  }
}
