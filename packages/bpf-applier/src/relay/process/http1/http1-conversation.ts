import type { Socket } from "node:net";
import type { Conversation } from "../switching/conversation.ts";
import type { Http1Call } from "./http1-call.ts";
import type { ParserWatch } from "./parser-watch.ts";

export interface Watchers {
  readonly parsers: ParserWatch;
  /** Told whenever all that was read of the connection is answered, which stays open. */
  readonly onAnswered: (socket: Socket) => void;
}

/**
 * A caller's HTTP/1.x connection: the requests that are under way on it, and where programs take others of them, what has to
 * wait for those.
 */
export class Http1Conversation {
  readonly socket: Socket;
  readonly calls = new Set<Http1Call>();
  /** Node's parser has let go of the connection, or is to. */
  isLast = false;
  private readonly switched: Conversation | undefined;
  private readonly parsers: ParserWatch;
  private readonly onAnswered: () => void;
  /** The parser was seen to say what it should. */
  private trusted = true;

  constructor(socket: Socket, switched: Conversation | undefined, { parsers, onAnswered }: Watchers) {
    this.parsers = parsers;
    this.onAnswered = () => onAnswered(socket);
    this.socket = socket;
    this.switched = switched;
    if (switched === undefined) return;
    switched.isQuiet = (underWay) =>
      this.trusted && this.calls.size <= underWay && this.isBetweenRequests && !socket.readableEnded;
    switched.onHandBack = this.onAnswered;
  }

  private get isBetweenRequests(): boolean {
    return this.parsers.isWithinRequest(this.socket) === false && !this.socket.isPaused();
  }

  get isAnswering(): boolean {
    return [...this.calls].some(({ answering }) => answering);
  }

  /** A request's head was read just now. @param hasBody more of it may come than TCP can number */
  begin(call: Http1Call, hasBody: boolean, handle: () => void): void {
    const { switched, calls } = this;
    calls.add(call);
    call.onClosed = () => this.onClosed(call);
    if (switched === undefined) return handle();
    // It is right now in the midst of one.
    if (this.parsers.isWithinRequest(this.socket) !== true) this.trusted = false;
    call.onEnding = (coming) => switched.handBackAhead(coming);
    switched.whenSettled(() => {
      if (call.gone) return;
      if (hasBody) switched.takeBack();
      handle();
    });
  }

  private onClosed(call: Http1Call): void {
    this.calls.delete(call);
    if (this.calls.size > 0 || !this.socket.writable || !this.isBetweenRequests) return;
    this.onAnswered();
    if (call.connectionStays) this.switched?.handBack();
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
