/** What a caller sends. */
export interface DigestTask {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** In all; until it is told to stop without. */
  readonly requests?: number;
  /** Largest body, of requests and of answers. */
  readonly mostBytes: number;
  readonly seed: number;
}

/** What came of it. */
export interface DigestResult {
  /** That were answered. */
  requests: number;
  /** Bodies that were not what was sent, of either direction. */
  wrong: number;
  /** By the system's error code. */
  failures: Record<string, number>;
  /** That were opened. */
  connections: number;
  /** What the server had seen, from all callers, when it answered last. */
  seenRequests: number;
  seenBytes: number;
}
