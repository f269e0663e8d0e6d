import type { Socket } from "node:net";

/** How long callers may take for a head, be it a request's or a TLS handshake's first message, and how much they may have begun. */
export interface HeadLimits {
  /** Milliseconds from a head's first byte to its last. */
  readonly timeMs: number;
  /** Bytes that heads of the callers of one network may have together while they are not whole. */
  readonly unfinished: number;
}

/** The time is nginx's; in memory those bytes take up to eight times as many. */
export const headLimits: HeadLimits = { timeMs: 60_000, unfinished: 16_777_216 };

/** How often it is looked how much heads have together that are not whole. */
const sweepMs = 250;

/** A head of which some was read. */
export interface UnfinishedHead {
  readonly socket: Socket;
  /** Whose callers are counted together. */
  readonly network: object;
  /** So far. */
  readonly bytes: number;
}

/** Who reads heads of callers. */
export interface HeadReader {
  unfinished(): readonly UnfinishedHead[];
  /** Ends the connection of one that is among too many bytes. */
  refuseUnfinished(socket: Socket): void;
}

/** Keeps each network to its bound of heads that are not whole, whoever reads them: the longest are refused. */
export class HeadBound {
  private readonly readers: readonly HeadReader[];
  private readonly most: number;
  private readonly sweep: NodeJS.Timeout;

  /** @param most bytes of one network */
  constructor(readers: readonly HeadReader[], most: number) {
    this.readers = readers;
    this.most = most;
    this.sweep = setInterval(() => this.look(), sweepMs).unref();
  }

  close(): void {
    clearInterval(this.sweep);
  }

  private look(): void {
    const heads = this.readers.flatMap((reader) => reader.unfinished().map((head) => ({ ...head, reader })));
    for (const { socket, reader } of beyond(heads, this.most)) reader.refuseUnfinished(socket);
  }
}

/** @returns those that are to go, the longest first, so that each network keeps to its bound; empty is usual */
function beyond<Head extends UnfinishedHead>(heads: readonly Head[], most: number): Head[] {
  const left = new Map<object, number>();
  for (const { network, bytes } of heads) left.set(network, (left.get(network) ?? 0) + bytes);
  const isBeyond = ({ network, bytes }: Head): boolean => {
    const sum = left.get(network) ?? 0;
    if (sum <= most) return false;
    left.set(network, sum - bytes);
    return true;
  };
  if ([...left.values()].every((sum) => sum <= most)) return [];
  return heads.toSorted((one, other) => other.bytes - one.bytes).filter(isBeyond);
}
