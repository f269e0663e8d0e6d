import type { Duplex } from "node:stream";

/** Heads of HTTP messages as they travel: names in their writer's case and order, values without surrounding blanks. */
export interface ResponseHead {
  /** 100–999. */
  readonly status: number;
  /** May be empty. */
  readonly reason: string;
  /** Name, value, name, value, …; bytes above 0x7f as in latin1. */
  readonly rawHeaders: readonly string[];
}

/** A request as it goes to an endpoint. */
export interface OutgoingRequest {
  readonly method: string;
  /** Origin form, or "*". */
  readonly target: string;
  readonly authority: string;
  readonly rawHeaders: readonly string[];
  /** How its body ends; "length": by the Content-Length among the headers. */
  readonly body: "none" | "length" | "chunked";
}

/** How the body of an answer ends: there is none, by its length, by its last chunk, or with the connection. */
export type AnswerFraming = "none" | "length" | "chunked" | "close";

/** Why an exchange ended without a whole answer. */
export interface ExchangeFailure {
  /**
   * "connect": the endpoint could not be reached; "closed": the connection ended or was reset; "refused": the endpoint says it
   * has not looked at the request (HTTP/2); "malformed": what came is no answer.
   */
  readonly kind: "connect" | "closed" | "refused" | "malformed";
  readonly reason: string;
  /** The connection had carried other requests before: its end may have crossed the request on the way (RFC 9112 9.3.1). */
  readonly reused: boolean;
}

/** A connection that bytes of a body may be written to as they are, by its descriptor. */
export interface BodyReceiver {
  readonly descriptor: number;
  /** So many were, once; also if the exchange was aborted before all of them. */
  onMoved(bytes: number): void;
  /** It takes no more. */
  onFailed(): void;
}

/** What an exchange tells whoever asked for it, in this order; nothing follows onEnd, onUpgrade or onFailure. */
export interface ExchangeEvents {
  /** 1xx but 101. */
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead, framing: AnswerFraming): void;
  onBody(chunk: Buffer): void;
  /**
   * Asked behind the head and all pieces that came in one read, also if the last of them was the answer's.
   * @returns whether none of them is needed any more; left out: they are
   */
  letGo?(): boolean;
  /** Where the rest of the body may go past onBody; undefined: nowhere, or not now. Asked between two pieces. */
  bodyReceiver?(): BodyReceiver | undefined;
  onEnd(rawTrailers: readonly string[]): void;
  /** 101: from here on the connection carries another protocol, and belongs to whoever is told. @param rest its first bytes */
  onUpgrade(head: ResponseHead, connection: Duplex, rest: Buffer): void;
  /** What was written is on its way: more may be. */
  onDrain(): void;
  onFailure(failure: ExchangeFailure): void;
}

/** One request and its answer on a connection to an endpoint. */
export interface Exchange {
  /** Sends a piece of the body. @returns false: wait for onDrain */
  write(chunk: Uint8Array): boolean;
  /** The body is whole. */
  end(rawTrailers?: readonly string[]): void;
  /** The answer waits in the kernel until resume. */
  pause(): void;
  resume(): void;
  /**
   * The caller sends no more on its connection, which may mean that it is gone. The endpoint is told the same, and decides what
   * it makes of it, as it would without a relay.
   */
  callerEnded(): void;
  /** Nobody waits for the answer any more; no event follows. */
  abort(): void;
}

/** A connection to an endpoint, or a place on one, that is free for one exchange. */
export interface Upstream {
  start(request: OutgoingRequest, events: ExchangeEvents): Exchange;
}
