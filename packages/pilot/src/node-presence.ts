import type { LimitedLog } from "./logging/limited-log.ts";

/** A stream's, as in XdsEvent. */
export interface NodeStream {
  readonly node: string;
  readonly peer: string;
}

/** A node that asks again does so at once; it has a moment more. In milliseconds. */
const backWithinMs = 5_000;
/** So many are waited for at a time; of more it is told at once, as strangers may come and go, too. */
const mostAway = 1_000;

/**
 * Logs which nodes come and go. A node that has rejected something asks for it again by a new stream on the same connection, every
 * half minute: there is nothing to be told of that. One that does not come back is told of, a moment later.
 */
export class NodePresence {
  private readonly logger: LimitedLog;
  /** What nodes that are here reject: node → type URLs. */
  private readonly rejecting = new Map<string, Set<string>>();
  /** Streams of nodes, and of nodes on connections. */
  private readonly ofNodes = new Counts();
  private readonly onConnections = new Counts();
  /** Nodes that may be about to ask again. */
  private readonly away = new Map<string, NodeJS.Timeout>();

  constructor(logger: LimitedLog) {
    this.logger = logger;
  }

  rejects(node: string, typeUrl: string): void {
    const types = this.rejecting.get(node) ?? new Set();
    this.rejecting.set(node, types.add(typeUrl));
  }

  takes(node: string, typeUrl: string): void {
    const types = this.rejecting.get(node);
    if (types?.delete(typeUrl) === true && types.size === 0) this.rejecting.delete(node);
  }

  connected(stream: NodeStream): void {
    const key = keyOf(stream);
    const others = this.onConnections.add(key, 1) - 1;
    this.ofNodes.add(stream.node, 1);
    const timer = this.away.get(key);
    clearTimeout(timer);
    this.away.delete(key);
    // The end of the stream before may be heard of later.
    if (timer !== undefined || (others > 0 && this.rejecting.has(stream.node)))
      this.logger.debug({ ...stream }, "node asks again for what it rejects");
    else this.logger.info({ ...stream }, "node connected");
  }

  disconnected(stream: NodeStream): void {
    const key = keyOf(stream);
    const others = this.onConnections.add(key, -1);
    this.ofNodes.add(stream.node, -1);
    const isRejecting = this.rejecting.has(stream.node);
    if (others > 0 && isRejecting) return;
    if (!isRejecting || this.away.size >= mostAway) return this.tellGone(stream);
    const timer = setTimeout(() => this.tellGone(stream), backWithinMs).unref();
    this.away.set(key, timer);
  }

  private tellGone(stream: NodeStream): void {
    this.away.delete(keyOf(stream));
    if (this.ofNodes.add(stream.node, 0) === 0) this.rejecting.delete(stream.node);
    this.logger.info({ ...stream }, "node disconnected");
  }
}

class Counts {
  private readonly counts = new Map<string, number>();

  /** @returns how many there are then */
  add(key: string, more: number): number {
    const count = (this.counts.get(key) ?? 0) + more;
    if (count > 0) this.counts.set(key, count);
    else this.counts.delete(key);
    return count;
  }
}

const keyOf = ({ node, peer }: NodeStream): string => `${node} ${peer}`;
