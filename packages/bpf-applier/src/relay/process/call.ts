import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { RequestHead } from "../policy/types.ts";
import type { AnswerFraming, OutgoingRequest, ResponseHead } from "./message.ts";

/** A caller's request and the way to answer it, whichever version of HTTP the caller speaks. */
export interface Call {
  readonly head: RequestHead;
  readonly bodyFraming: OutgoingRequest["body"];
  /** Not read from until someone listens. Undefined: there is none. */
  readonly body: Readable | undefined;
  /** The caller offers to change to this protocol ("websocket"); undefined: it does not. */
  readonly upgrade: string | undefined;
  /** Once what was written is on its way. */
  onDrain: () => void;
  /** Once, if the caller went before the answer was whole. */
  onGone: () => void;
  /** Once, if the caller says that it sends no more, while the answer is not whole. */
  onHalfClose: () => void;
  /** It has said so. */
  readonly halfClosed: boolean;
  /** Trailers of the request; only once its body has ended. */
  trailers(): readonly string[];
  /** The answer is the last on its connection, and says so. To be called before it. */
  endConnection(): void;
  /** 1xx. */
  inform(head: ResponseHead): void;
  /** @param framing as the endpoint has it; an answer of the relay's own has "length" or "none" */
  answer(head: ResponseHead, framing: AnswerFraming): void;
  /** @returns false: wait for onDrain */
  write(chunk: Buffer): boolean;
  /** What there is of the answer leaves at once, as far as there is room. @returns whether all of it has left; left out: it is not known */
  letGo?(): boolean;
  /** The caller's connection, for the answer's body past `write`: all before it is on its way. Undefined: not now, or never. */
  plainConnection?(): Socket | undefined;
  end(rawTrailers: readonly string[]): void;
  /** Answers 101 and gives the connection away. */
  switchTo(head: ResponseHead): Duplex;
  /** The caller sees what it would see if the endpoint had gone. */
  abort(): void;
}
