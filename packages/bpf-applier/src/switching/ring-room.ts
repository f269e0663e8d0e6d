import type { Endpoint } from "@keelson/protos/policy";
import { bytesOfRing, knownRing, leastBytes, type Ring, type RingShape, ringOf } from "./ring.ts";

/**
 * What rings and Maglev tables of a node may take of the kernel's memory together; for a moment, while one version follows
 * another, it may be twice as much. The smallest ones are 16,384, and their map has room for 65,536. It bounds the agent's time,
 * too, which makes them one after another: they are a million points, and one takes some 3 µs.
 */
export const mostRingBytes = 16 * 2 ** 20;

/** @returns undefined: there is no room for it */
export type RingSource = (shape: RingShape, endpoints: readonly Endpoint[]) => Ring | undefined;

/** Gives rings to destinations as long as there is room for them; who came first has it. */
export class RingRoom {
  private readonly most: number;
  private readonly held = new Set<bigint>();
  private used = 0;

  /** @param held rings that are in use, and stay */
  constructor(held: Iterable<Ring>, most = mostRingBytes) {
    this.most = most;
    for (const ring of held) this.hold(ring);
  }

  readonly ringOf: RingSource = (shape, endpoints) => {
    // Rings that cannot come in are not made: it takes time.
    const known = knownRing(shape, endpoints);
    if (known === undefined && !this.hasRoom(leastBytes(shape))) return undefined;
    const ring = known ?? ringOf(shape, endpoints);
    if (ring === undefined || !(this.held.has(ring.id) || this.hasRoom(bytesOfRing(ring)))) return undefined;
    this.hold(ring);
    return ring;
  };

  private hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.most;
  }

  private hold(ring: Ring): void {
    if (this.held.has(ring.id)) return;
    this.held.add(ring.id);
    this.used += bytesOfRing(ring);
  }
}
