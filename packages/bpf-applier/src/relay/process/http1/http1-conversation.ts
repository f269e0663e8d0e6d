import type { Socket } from "node:net";
import type { Conversation } from "../switching/conversation.ts";
import type { CallOwner, Http1Call } from "./http1-call.ts";
import { PacedReads } from "./paced-reads.ts";
import type { ParserWatch } from "./parser-watch.ts";

export interface Watchers {
  readonly parsers: ParserWatch;
  /**
   * Told whenever all that was read of the connection is answered, which stays open.
   * @param coming bytes of the answer that it gets right behind this call
   */
  readonly onAnswered: (socket: Socket, coming: number) => void;
  /** Told behind an answer, when that is so and all of it has left. */
  readonly onQuiet: (socket: Socket) => void;
}

/**
 * A caller's HTTP/1.x connection: the request that is under way on it, and where programs take others of them, what has to
 * wait for those.
 */
export class Http1Conversation implements CallOwner {
  readonly socket: Socket;
  /** One at most: the next one begins when its answer has left. */
  readonly calls: Http1Call[] = [];
  /** Node's parser has let go of the connection, or is to. */
  isLast = false;
  private readonly switched: Conversation | undefined;
  private readonly watchers: Watchers;
  private reads: PacedReads | undefined;
  /** Requests so far. */
  begun = 0;
  /** Bytes that had been read when the last of them was answered. */
  readBefore = 0;
  /** What the parser says of it cannot be relied on. */
  isDoubtful = false;

  constructor(socket: Socket, switched: Conversation | undefined, watchers: Watchers) {
    this.watchers = watchers;
    this.socket = socket;
    this.switched = switched;
    if (switched === undefined) return;
    const isQuiet = (underWay: 0 | 1): boolean => this.isQuiet(underWay) && !socket.readableEnded;
    const onHandBack = (coming: number): void => watchers.onAnswered(socket, coming);
    switched.isQuiet = isQuiet;
    switched.onHandBack = onHandBack;
  }

  private isQuiet(underWay: 0 | 1): boolean {
    const { socket, watchers } = this;
    if (this.isDoubtful || this.calls.length > underWay || !socket.writable) return false;
    const isBetween = watchers.parsers.isWithinRequest(socket) === false;
    return isBetween && !socket.isPaused() && socket.readableLength === 0;
  }

  /** @param parse what Node listens to the socket's bytes with */
  paceReads(parse: (bytes: Buffer) => void): void {
    this.reads = new PacedReads(this.socket, this, parse);
  }

  get isNextToCome(): boolean {
    return this.calls.at(-1)?.isWhole === true;
  }

  get isAnswering(): boolean {
    return this.calls.some(({ answering }) => answering);
  }

  /** A request's head was read just now. @param hasBody more of it may come than TCP can number */
  begin(call: Http1Call, hasBody: boolean, handle: () => void): void {
    this.calls.push(call);
    this.begun++;
    call.owner = this;
    this.reads?.expectBody(call.bodyLength);
    // It is right now in the midst of one.
    if (this.watchers.parsers.isWithinRequest(this.socket) !== true) this.isDoubtful = true;
    if (this.switched === undefined) handle();
    else this.beginSettled(this.switched, call, hasBody, handle);
  }

  private beginSettled(switched: Conversation, call: Http1Call, hasBody: boolean, handle: () => void): void {
    switched.whenSettled(() => {
      if (call.gone) return;
      if (hasBody) switched.takeBack();
      handle();
    });
  }

  onEnding(coming: number): void {
    if (this.switched !== undefined) this.switched.handBackAhead(coming);
    else if (this.isQuiet(1)) this.watchers.onAnswered(this.socket, coming);
  }

  onClosed(call: Http1Call): void {
    const at = this.calls.indexOf(call);
    if (at !== -1) this.calls.splice(at, 1);
    if (this.calls.length === 0) this.readBefore = this.socket.bytesRead;
    if (this.isQuiet(0)) this.tellQuiet(call);
    this.reads?.goOn();
  }

  private tellQuiet({ connectionStays }: Http1Call): void {
    this.watchers.onAnswered(this.socket, 0);
    if (!connectionStays) return;
    this.switched?.handBack();
    this.watchers.onQuiet(this.socket);
  }

  /** Nothing is under way on it, as far as the relay knows. */
  endIdle(): void {
    if (this.switched === undefined) this.socket.end();
    else this.switched.endWhenSettled();
  }

  /** What is no request as others are: nothing follows on the connection that programs could take. */
  beginLast(handle: () => void): void {
    this.isLast = true;
    this.whenSettled(() => {
      this.switched?.takeBack();
      if (!this.socket.destroyed) handle();
    });
  }

  /** Once no answer that programs have under way can be cut off or overtaken. */
  whenSettled(callback: () => void): void {
    if (this.switched === undefined) callback();
    else this.switched.whenSettled(callback);
  }
}
