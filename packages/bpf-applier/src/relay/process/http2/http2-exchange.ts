import { STATUS_CODES } from "node:http";
import { type ClientHttp2Stream, constants } from "node:http2";
import { hasField } from "../header-fields.ts";
import { Informational } from "../informational.ts";
import type { AnswerFraming, Exchange, ExchangeEvents, OutgoingRequest, Upstream } from "../message.ts";
import { PieceWriter } from "../piece-writer.ts";
import { isOver, plainFields, pseudo, sendTrailers } from "./http2-fields.ts";
import type { Http2Link } from "./http2-link.ts";
import { joinPieces } from "./joined-pieces.ts";

const bodiless: ReadonlySet<number> = new Set([204, 304]);
const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

/** A place for one request on a connection that speaks HTTP/2. */
export class Http2Place implements Upstream {
  readonly link: Http2Link;

  constructor(link: Http2Link) {
    this.link = link.take();
  }

  start(request: OutgoingRequest, events: ExchangeEvents): Exchange {
    return new Http2Exchange(this.link, request, events);
  }
}

/** One request and its answer, as a stream of a connection. */
class Http2Exchange implements Exchange {
  private readonly link: Http2Link;
  private readonly stream: ClientHttp2Stream | undefined;
  private pieces: PieceWriter | undefined;
  private readonly reused: boolean;
  private readonly method: string;
  /** Undefined: nobody is told any more. */
  private events: ExchangeEvents | undefined;
  private answered = false;
  private readonly informational = new Informational();
  private answerTrailers: readonly string[] = [];
  private requestTrailers: readonly string[] = [];

  constructor(link: Http2Link, request: OutgoingRequest, events: ExchangeEvents) {
    this.link = link;
    this.events = events;
    this.method = request.method;
    this.reused = link.carried > 1;
    this.stream = this.begin(request);
  }

  write(chunk: Uint8Array): boolean {
    const { stream } = this;
    if (stream === undefined || isOver(stream)) return true;
    this.pieces ??= new PieceWriter(stream, () => this.events?.onDrain());
    return this.pieces.write(chunk);
  }

  end(rawTrailers: readonly string[] = []): void {
    this.requestTrailers = rawTrailers;
    this.stream?.end();
  }

  pause(): void {
    this.stream?.pause();
  }

  resume(): void {
    this.stream?.resume();
  }

  /** A stream knows no such thing: who goes resets it. */
  callerEnded(): void {}

  abort(): void {
    this.events = undefined;
    const { stream } = this;
    // One that has ended keeps its place until all of it was read, which nobody does any more.
    if (stream?.closed) stream.destroy();
    else stream?.close(NGHTTP2_CANCEL);
  }

  private begin(request: OutgoingRequest): ClientHttp2Stream | undefined {
    if (!this.link.usable) {
      // It is about to end: the endpoint has seen nothing.
      process.nextTick(() => {
        this.link.free();
        this.fail(NGHTTP2_REFUSED_STREAM);
      });
      return undefined;
    }
    const stream = this.link.request(request);
    joinPieces(stream);
    stream.on("headers", (_headers, _flags, raw?: string[]) => this.onInformational(raw ?? []));
    stream.on("response", (_headers, flags, raw?: string[]) => this.onResponse(flags, raw ?? []));
    stream.on("data", (chunk: Buffer) => this.events?.onBody(chunk));
    stream.on("drain", () => this.events?.onDrain());
    stream.on("wantTrailers", () => sendTrailers(stream, this.requestTrailers));
    stream.on("trailers", (_headers, _flags, raw?: string[]) => {
      this.answerTrailers = raw ?? [];
    });
    stream.on("end", () => this.onEnd(stream));
    stream.on("error", () => undefined); // "close" follows
    stream.once("close", () => {
      this.link.free();
      this.fail(stream.rstCode);
    });
    return stream;
  }

  private onInformational(raw: readonly string[]): void {
    if (!this.informational.add(raw.join("").length)) return this.refuse(Informational.tooMany);
    const status = Number(pseudo(raw, ":status"));
    this.tell(() => this.events?.onInformational({ status, reason: "", rawHeaders: plainFields(raw) }));
  }

  private onResponse(flags: number, raw: readonly string[]): void {
    this.answered = true;
    const status = Number(pseudo(raw, ":status"));
    const rawHeaders = plainFields(raw);
    const head = { status, reason: STATUS_CODES[status] ?? "", rawHeaders };
    this.tell(() => this.events?.onHead(head, this.framingOf(status, flags, rawHeaders)));
    // Some of its body may have come with it, and is told in the same turn.
    process.nextTick(() => this.events?.letGo?.());
  }

  /** What goes wrong as an answer is handed on must not end more than its stream. */
  private tell(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.refuse(error instanceof Error ? error.message : String(error));
    }
  }

  private framingOf(status: number, flags: number, rawHeaders: readonly string[]): AnswerFraming {
    if (this.method === "HEAD" || bodiless.has(status)) return "none";
    // An answer that ends with its head may be one of trailers alone (gRPC), or of length 0.
    if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) return "none";
    return hasField(rawHeaders, "content-length") ? "length" : "chunked";
  }

  private onEnd(stream: ClientHttp2Stream): void {
    // A reset ends the stream, too, with a code.
    if (!this.answered || (stream.rstCode ?? NGHTTP2_NO_ERROR) !== NGHTTP2_NO_ERROR) return;
    const { events } = this;
    this.events = undefined;
    if (!stream.writableEnded) stream.close(NGHTTP2_NO_ERROR);
    events?.onEnd(this.answerTrailers);
  }

  /** What came is no answer, or none that can be handed on. */
  private refuse(reason: string): void {
    const { events } = this;
    this.abort();
    events?.onFailure({ kind: "malformed", reason, reused: false });
  }

  private fail(code: number | undefined): void {
    const { events } = this;
    this.events = undefined;
    const kind = code === NGHTTP2_REFUSED_STREAM && !this.answered ? "refused" : "closed";
    const reason = `the endpoint ended the stream with code ${code ?? 0}`;
    events?.onFailure({ kind, reason, reused: this.reused && !this.answered });
  }
}
