import type { Socket } from "node:net";
import { getSystemErrorMessage } from "node:util";
import { type PumpEnd, SocketPump } from "bpf-maps-native";
import { fieldText, hasField, valuesOf } from "../header-fields.ts";
import type {
  AnswerFraming,
  BodyReceiver,
  Exchange,
  ExchangeEvents,
  ExchangeFailure,
  OutgoingRequest,
  ResponseHead,
  Upstream,
} from "../message.ts";
import { PieceWriter } from "../piece-writer.ts";
import { descriptorOf, startReading, stopReading } from "../plain-socket.ts";
import type { ReusedReads } from "../reused-reads.ts";
import { ResponseParser } from "./response-parser.ts";

/** What becomes of a connection to an endpoint. */
export interface UpstreamOwner {
  /** It may carry another request. */
  onIdle(): void;
  /** It carries nothing any more. */
  onClosed(): void;
}

/** Of a connection that had ended before its request. */
const abandoned: Exchange = {
  write: () => true,
  end() {},
  pause() {},
  resume() {},
  callerEnded() {},
  abort() {},
};

/** Bytes of a body from which on a pump is cheaper than streams. */
const leastPumped = 131_072;

const lastChunk = Buffer.from("0\r\n\r\n");

/**
 * A connection to an endpoint that speaks HTTP/1.1: one exchange at a time, no pipelining. It is given up at the first byte
 * that it should not carry, and where an answer came before its request was whole.
 */
export class Http1Upstream implements Upstream {
  /** By the clock of performance.now(). */
  readonly openedAt = performance.now();
  private readonly socket: Socket;
  private readonly pieces: PieceWriter;
  private readonly reads: ReusedReads;
  private readonly owner: UpstreamOwner;
  private readonly parser: ResponseParser;
  private request: OutgoingRequest | undefined;
  private events: ExchangeEvents | undefined;
  /** Requests that it carried before the one of now. */
  private carried = 0;
  private requestWhole = true;
  /** Bytes of a body that the head told of and that were not sent; of chunks, until the last one was: endless. */
  private owed = 0;
  private persistent = true;
  private halfClosed = false;
  /** Carries the rest of the answer's body. */
  private pump: { readonly pump: SocketPump; readonly receiver: BodyReceiver } | undefined;
  private closed = false;

  /**
   * @param socket connected, nothing read of it yet
   * @param reads of it
   */
  constructor(socket: Socket, reads: ReusedReads, owner: UpstreamOwner) {
    this.socket = socket;
    const onDrain = (): void => this.events?.onDrain();
    this.pieces = new PieceWriter(socket, onDrain);
    this.reads = reads;
    this.owner = owner;
    this.parser = new ResponseParser({
      onInformational: (head) => this.events?.onInformational(head),
      onHead: (head, framing, persistent) => this.onHead(head, framing, persistent),
      onBody: (chunk) => this.events?.onBody(chunk),
      onUpgrade: (head, rest) => this.onUpgrade(head, rest),
      onEnd: (trailers, excess) => this.onAnswerEnd(trailers, excess),
    });
    socket.setNoDelay(true);
    const onBytes = (bytes: Buffer): boolean => this.onBytes(bytes);
    reads.onBytes = onBytes;
    socket.on("end", () => this.onFinish());
    socket.on("drain", onDrain);
    socket.on("error", (error) => this.fail("closed", error.message));
    socket.on("close", () => this.fail("closed", "the endpoint closed the connection"));
  }

  /** Requests so far. */
  get requests(): number {
    return this.carried;
  }

  /** Sends a request's head. Only while no exchange is under way. @throws Error for a head that cannot be sent */
  start(request: OutgoingRequest, events: ExchangeEvents): Exchange {
    const head = headText(request);
    this.carried++;
    this.request = request;
    this.events = events;
    if (this.closed) {
      // It ended between being handed out and now.
      process.nextTick(() => this.fail("closed", "the endpoint closed the connection"));
      return abandoned;
    }
    this.requestWhole = request.body === "none";
    this.owed = request.body === "chunked" ? Number.POSITIVE_INFINITY : announced(request.rawHeaders);
    this.persistent = true;
    this.parser.expect(request.method);
    this.socket.write(head, "latin1");
    const mine = (): boolean => this.events === events;
    return {
      write: (chunk) => mine() && this.writeBody(chunk),
      end: (trailers = []) => {
        if (mine()) this.endBody(trailers);
      },
      pause: () => {
        if (mine()) this.socket.pause();
      },
      resume: () => {
        if (mine()) this.socket.resume();
      },
      callerEnded: () => {
        if (mine()) this.halfClose();
      },
      abort: () => {
        if (mine()) this.destroy();
      },
    };
  }

  destroy(): void {
    this.events = undefined;
    this.close();
  }

  private writeBody(chunk: Uint8Array): boolean {
    if (this.request?.body !== "chunked") {
      this.owed -= chunk.length;
      return this.pieces.write(chunk);
    }
    return chunk.length === 0 || this.pieces.writeChunk(chunk);
  }

  private endBody(trailers: readonly string[]): void {
    this.requestWhole = true;
    if (this.request?.body === "chunked") {
      this.owed = 0;
      this.socket.write(trailers.length === 0 ? lastChunk : `0\r\n${fieldText(trailers)}\r\n`, "latin1");
    }
    if (this.halfClosed) this.socket.end();
  }

  private halfClose(): void {
    this.halfClosed = true;
    // What came of the request before may still wait to be sent.
    if (this.requestWhole) this.socket.end();
  }

  private onBytes(bytes: Buffer): boolean {
    const { events, parser } = this;
    try {
      parser.execute(bytes);
    } catch (error) {
      // Not only the parser's: an answer may also be one that cannot be handed on.
      this.fail("malformed", messageOf(error));
      return false;
    }
    const isFree = events?.letGo?.() === true && !this.closed;
    if (parser.bodyLeft >= leastPumped) this.startPump();
    return isFree;
  }

  /** The rest of a long body goes past both connections' streams, once nothing waits in them. */
  private startPump(): void {
    const { events, socket, parser } = this;
    if (this.closed || this.pump !== undefined || parser.bodyLeft < leastPumped) return;
    const from = descriptorOf(socket);
    const receiver = from === undefined ? undefined : events?.bodyReceiver?.();
    if (from === undefined || receiver === undefined) return;
    stopReading(socket);
    const onEnd = (end: PumpEnd): void => this.onPumped(end, receiver);
    this.pump = { pump: new SocketPump(from, receiver.descriptor, parser.bodyLeft, onEnd), receiver };
  }

  private onPumped({ moved, how, errno, more }: PumpEnd, receiver: BodyReceiver): void {
    this.pump = undefined;
    receiver.onMoved(moved);
    if (how === "target") {
      receiver.onFailed();
      this.destroy();
    } else if (how === "source") {
      this.fail(
        "closed",
        errno === 0 ? "the endpoint ended within its answer" : getSystemErrorMessage(-errno),
      );
    } else {
      startReading(this.socket);
      this.parser.skip(moved, more ? 1 : 0);
    }
  }

  /** The endpoint sends no more. */
  private onFinish(): void {
    try {
      if (!this.parser.finish()) this.fail("closed", "the endpoint closed the connection");
    } catch (error) {
      this.fail("closed", messageOf(error));
    }
  }

  private onHead(head: ResponseHead, framing: AnswerFraming, persistent: boolean): void {
    this.persistent = persistent;
    this.events?.onHead(head, framing);
  }

  private onUpgrade(head: ResponseHead, rest: Buffer): void {
    const { socket, events } = this;
    if (events === undefined) return this.destroy();
    this.events = undefined;
    this.closed = true;
    socket.pause();
    this.reads.toStream(socket);
    for (const event of ["end", "drain", "error", "close"]) socket.removeAllListeners(event);
    socket.once("close", () => this.owner.onClosed());
    events.onUpgrade(head, socket, rest);
  }

  private onAnswerEnd(trailers: readonly string[], excess: number): void {
    const events = this.events;
    this.events = undefined;
    const isWhole = this.requestWhole && this.owed === 0;
    const reusable = this.persistent && isWhole && excess === 0 && !this.halfClosed && !this.closed;
    if (reusable) {
      this.socket.resume();
      this.owner.onIdle();
    } else this.close();
    events?.onEnd(trailers);
  }

  private fail(kind: ExchangeFailure["kind"], reason: string): void {
    const events = this.events;
    this.events = undefined;
    // An answer that had begun is no connection that ended while idle.
    const reused = this.carried > 1 && this.parser.untouched;
    this.close();
    events?.onFailure({ kind, reason, reused });
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.pump?.receiver.onMoved(this.pump.pump.close());
    this.pump = undefined;
    this.socket.destroy();
    this.owner.onClosed();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Bytes of a body of which a head tells, whoever wrote it (a rule may): a server waits for them. */
function announced(rawHeaders: readonly string[]): number {
  if (hasField(rawHeaders, "transfer-encoding")) return Number.POSITIVE_INFINITY;
  return valuesOf(rawHeaders, "content-length").reduce((sum, value) => sum + Number(value), 0);
}

/** What came over HTTP/2 lacks Host and the name of its framing. */
function headText({ method, target, authority, rawHeaders, body }: OutgoingRequest): string {
  const host = hasField(rawHeaders, "host") ? "" : `Host: ${authority}\r\n`;
  const coding =
    body !== "chunked" || hasField(rawHeaders, "transfer-encoding") ? "" : "Transfer-Encoding: chunked\r\n";
  return `${method} ${target} HTTP/1.1\r\n${host}${fieldText(rawHeaders)}${coding}\r\n`;
}
