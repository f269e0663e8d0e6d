import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { RequestHead } from "../../policy/types.ts";
import type { Call } from "../call.ts";
import { forwardedFields, hasField, type RawFields } from "../header-fields.ts";
import type { AnswerFraming, OutgoingRequest, ResponseHead } from "../message.ts";
import { PieceWriter } from "../piece-writer.ts";
import type { ReadRequest } from "./request-head.ts";
import { responseText } from "./response-text.ts";

/** Bytes of an answer's last chunk, without trailers. */
const lastChunk = 5;

const nothing = (): void => {};

/** Whose calls they are. */
export interface CallOwner {
  /** Told just before an answer's end leaves, and how many bytes the connection gets behind that. */
  onEnding(coming: number): void;
  /** Its answer is whole and has left, or the caller is gone. */
  onClosed(call: Http1Call): void;
}

/** A request of a caller that speaks HTTP/1.x. */
export class Http1Call implements Call {
  readonly head: RequestHead;
  readonly bodyFraming: OutgoingRequest["body"];
  readonly upgrade = undefined;
  onDrain: () => void = nothing;
  onGone: () => void = nothing;
  onHalfClose: () => void = nothing;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private readonly pieces: PieceWriter;
  private framing: AnswerFraming = "none";
  private hasWritten = false;
  private ended = false;
  owner: CallOwner | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, { head, bodyFraming }: ReadRequest) {
    this.head = head;
    this.bodyFraming = bodyFraming;
    this.request = request;
    this.response = response;
    const onDrain = (): void => this.onDrain();
    this.pieces = new PieceWriter(response, onDrain);
    response.on("drain", onDrain);
    response.on("close", () => {
      if (!this.ended) this.onGone();
      this.owner?.onClosed(this);
    });
  }

  get body(): Readable | undefined {
    return this.bodyFraming === "none" ? undefined : this.request;
  }

  /** All of the request was read. */
  get isWhole(): boolean {
    return this.request.complete;
  }

  /** Bytes; 0: there is none, or of no known length. */
  get bodyLength(): number {
    return this.bodyFraming === "length" ? Number(this.request.headers["content-length"]) : 0;
  }

  get halfClosed(): boolean {
    return this.request.socket.readableEnded;
  }

  trailers(): readonly string[] {
    return forwardedFields(this.request.rawTrailers, false);
  }

  endConnection(): void {
    this.response.shouldKeepAlive = false;
  }

  inform(head: ResponseHead): void {
    if (this.request.httpVersionMinor === 0) return; // RFC 9110 15.2: it knows none
    // While answers to earlier requests are under way there is no connection; only 100 is waited for then.
    if (this.response.socket !== null) this.response.socket.write(responseText(head), "latin1");
    else if (head.status === 100) this.response.writeContinue();
  }

  answer({ status, reason, rawHeaders }: ResponseHead, framing: AnswerFraming): void {
    const { response } = this;
    response.sendDate = false;
    this.framing = framing;
    const old = this.request.httpVersionMinor === 0;
    if (framing === "close") {
      response.removeHeader("transfer-encoding"); // so that none is made up
      response.shouldKeepAlive = false;
    } else if (this.halfClosed) {
      // The caller says no more: the connection ends behind its last answer, as it knows.
      response.shouldKeepAlive = false;
      response.removeHeader("connection");
    } else if (response.shouldKeepAlive && !old) response.removeHeader("connection");
    let fields = rawHeaders;
    // HTTP/1.0 knows no chunks: the answer ends with the connection (RFC 9112 6.1).
    if (old && framing === "chunked") fields = without(fields, "transfer-encoding");
    // Where no chunks are, Node throws at it.
    if (old || !(framing === "chunked" || hasField(fields, "transfer-encoding")))
      fields = without(fields, "trailer");
    response.writeHead(status, reason, fields as string[]);
  }

  write(chunk: Buffer): boolean {
    this.hasWritten = true;
    return this.pieces.write(chunk);
  }

  letGo(): boolean {
    const { response } = this;
    if (this.framing !== "none") this.sendHeadAlone();
    // Node does it at the end of this turn.
    response.socket?.uncork();
    return response.writableLength === 0 && this.request.socket.writableLength === 0;
  }

  /** Node keeps a head until some of its body is written; callers may act by it, and a pump writes behind it, past Node. */
  private sendHeadAlone(): void {
    if (this.hasWritten || this.ended || this.gone) return;
    this.hasWritten = true;
    sendHead(this.response);
  }

  plainConnection(): Socket | undefined {
    // Without a socket it waits for answers before it.
    return this.response.writableLength > 0 ? undefined : (this.response.socket ?? undefined);
  }

  end(rawTrailers: readonly string[]): void {
    this.ended = true;
    if (rawTrailers.length > 0) this.response.addTrailers(pairsOf(rawTrailers));
    else this.tellEnding();
    this.response.end();
  }

  switchTo(): Duplex {
    throw new Error("a request without Upgrade was answered 101");
  }

  /** The caller's connection can carry another request, and all answers before this one have left. */
  private tellEnding(): void {
    const { response, owner } = this;
    const { socket } = response;
    if (owner === undefined || socket === null || !this.connectionStays) return;
    socket.cork(); // end() takes that back
    if (!this.hasWritten) sendHead(response);
    owner.onEnding(this.framing === "chunked" ? lastChunk : 0);
  }

  /** The connection may carry another request behind this one. */
  get connectionStays(): boolean {
    return this.response.shouldKeepAlive && this.request.httpVersionMinor === 1;
  }

  get answering(): boolean {
    return this.response.headersSent;
  }

  /** Nobody waits for the answer any more. */
  get gone(): boolean {
    return this.response.destroyed || this.request.socket.destroyed;
  }

  abort(): void {
    this.ended = true;
    this.request.socket.destroy();
  }
}

/** As flushHeaders does, but with the bytes that came, as Node's end() has it: in latin1. */
function sendHead(response: ServerResponse): void {
  const sender = response as unknown as Record<
    string,
    ((data: string, encoding: string) => void) | undefined
  >;
  sender["_send"]?.call(response, "", "latin1");
}

/** @returns the same array where there is nothing to leave out */
function without(fields: RawFields, lowerName: string): RawFields {
  if (!hasField(fields, lowerName)) return fields;
  return fields.filter((_, at) => fields[at - (at % 2)]?.toLowerCase() !== lowerName);
}

function pairsOf(fields: readonly string[]): [string, string][] {
  return Array.from({ length: fields.length / 2 }, (_, at) => [
    fields[2 * at] ?? "",
    fields[2 * at + 1] ?? "",
  ]);
}
