/** The server that is examined. */
export interface Subject extends AsyncDisposable {
  /** host:port, of plain gRPC. */
  readonly address: string;
}

/** A server that cannot be examined: it is not there, or does not do the least. */
export class NoSubject extends Error {}
