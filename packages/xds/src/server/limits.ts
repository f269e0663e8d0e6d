import { Refusal } from "./refusal.ts";

/** Bounds on what a peer can make the server keep. */
export interface ServerLimits {
  /** Streams at once, of all peers. One more takes the place of the oldest that has not sent a request yet. */
  readonly streams: number;
  /** Time in ms in which a stream must send its first request. */
  readonly firstRequestMs: number;
  /**
   * Time in ms that a client may take to answer what it must make ready for use before what refers to it is sent all the
   * same.
   */
  readonly settleMs: number;
  /** Types that one stream may ask for. */
  readonly typesPerStream: number;
  /** Names subscribed to, and names in `initial_resource_versions`, per type of a stream. */
  readonly namesPerType: number;
  /** Bytes of a resource's name or version, of a type URL, and of a node's id or NODE_NAME. */
  readonly nameBytes: number;
  /** Bytes, as JSON, of what is kept of a node's metadata. */
  readonly metadataBytes: number;
  /** New streams a second; one that would have to wait for more than a second is refused. */
  readonly streamsPerSecond: number;
  /** How long pushes to many streams may run, and to how many, before other work gets its turn. */
  readonly pushSlice: { readonly ms: number; readonly items: number };
}

export const defaultLimits: ServerLimits = {
  streams: 10_000,
  firstRequestMs: 15_000,
  settleMs: 5_000,
  typesPerStream: 64,
  namesPerType: 200_000,
  nameBytes: 4_096,
  metadataBytes: 65_536,
  streamsPerSecond: Number.POSITIVE_INFINITY,
  pushSlice: { ms: 20, items: Number.POSITIVE_INFINITY },
};

/** @throws Refusal that says what was over which limit. */
export function checkLimit(what: string, found: number, limit: number): void {
  if (found > limit) throw Refusal.overLimit(`${what}: ${found} is over the limit of ${limit}`);
}

/** UTF-8's, of one code unit of UTF-16. */
const mostBytesPerUnit = 3;

/** @throws Refusal, if any of the texts is longer than `limit` bytes. */
export function checkBytes(what: string, texts: Iterable<string>, limit: number): void {
  for (const text of texts) {
    if (text.length * mostBytesPerUnit > limit)
      checkLimit(`bytes of ${what}`, Buffer.byteLength(text), limit);
  }
}
