import type { Socket } from "node:net";
import type { Conversation } from "../switching/conversation.ts";
import type { Http1Call } from "./http1-call.ts";
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
 * A caller's HTTP/1.x connection: the requests that are under way on it, and where programs take others of them, what has to
 * wait for those.
 */
export class Http1Conversation {
  readonly socket: Socket;
  /** In the order in which they began. */
  readonly calls: Http1Call[] = [];
  /** Node's parser has let go of the connection, or is to. */
  isLast = false;
  private readonly switched: Conversation | undefined;
  private readonly parsers: ParserWatch;
  private readonly onAnswered: (coming: number) => void;
  private readonly onQuiet: () => void;
  /** Requests so far. */
  begun = 0;
  /** What the parser says of it cannot be relied on. */
  isDoubtful = false;

  constructor(
    socket: Socket,
    switched: Conversation | undefined,
    { parsers, onAnswered, onQuiet }: Watchers,
  ) {
    this.parsers = parsers;
    this.onAnswered = (coming) => onAnswered(socket, coming);
    this.onQuiet = () => onQuiet(socket);
    this.socket = socket;
    this.switched = switched;
    if (switched === undefined) return;
    switched.isQuiet = (underWay) => this.isQuiet(underWay) && !socket.readableEnded;
    switched.onHandBack = this.onAnswered;
  }

  private isQuiet(underWay: 0 | 1): boolean {
    const { socket, parsers } = this;
    if (this.isDoubtful || this.calls.length > underWay || !socket.writable) return false;
    return parsers.isWithinRequest(socket) === false && !socket.isPaused();
  }

  get isAnswering(): boolean {
    return this.calls.some(({ answering }) => answering);
  }

  /** A request's head was read just now. @param hasBody more of it may come than TCP can number */
  begin(call: Http1Call, hasBody: boolean, handle: () => void): void {
    const { switched, calls } = this;
    calls.push(call);
    this.begun++;
    call.onClosed = () => this.onClosed(call);
    // It is right now in the midst of one.
    if (this.parsers.isWithinRequest(this.socket) !== true) this.isDoubtful = true;
    if (switched === undefined) {
      call.onEnding = (coming) => {
        if (this.isQuiet(1)) this.onAnswered(coming);
      };
      return handle();
    }
    call.onEnding = (coming) => switched.handBackAhead(coming);
    switched.whenSettled(() => {
      if (call.gone) return;
      if (hasBody) switched.takeBack();
      handle();
    });
  }

  private onClosed(call: Http1Call): void {
    const at = this.calls.indexOf(call);
    if (at !== -1) this.calls.splice(at, 1);
    if (!this.isQuiet(0)) return;
    this.onAnswered(0);
    if (!call.connectionStays) return;
    this.switched?.handBack();
    this.onQuiet();
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
