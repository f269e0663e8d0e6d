/** Bounds on what a peer can make the server keep. */
export interface ServerLimits {
  /** Streams at once, of all peers. */
  readonly streams: number;
  /** Types that one stream may ask for. */
  readonly typesPerStream: number;
  /** Names subscribed to, and names in `initial_resource_versions`, per type of a stream. */
  readonly namesPerType: number;
  /** Bytes of a node's id and of its metadata's NODE_NAME. */
  readonly nodeNameBytes: number;
}

export const defaultLimits: ServerLimits = {
  streams: 10_000,
  typesPerStream: 64,
  namesPerType: 200_000,
  nodeNameBytes: 1_024,
};

/** A peer that went over a limit; the text says which, and what it sent. */
export class LimitError extends Error {
  override readonly name = "LimitError";
}

export function checkLimit(what: string, found: number, limit: number): void {
  if (found > limit) throw new LimitError(`${what}: ${found} is over the limit of ${limit}`);
}
