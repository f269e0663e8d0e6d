import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex, Readable } from "node:stream";
import type { RequestHead } from "../../policy/types.ts";
import type { Call } from "../call.ts";
import { hasField, valuesOf } from "../header-fields.ts";
import type { AnswerFraming, OutgoingRequest, ResponseHead } from "../message.ts";
import { PieceWriter } from "../piece-writer.ts";
import { headersObject, http2Fields, isOver, plainFields, pseudo, sendTrailers } from "./http2-fields.ts";
import { joinPieces } from "./joined-pieces.ts";

const nothing = (): void => {};

/** A request of a caller that speaks HTTP/2. */
export class Http2Call implements Call {
  readonly head: RequestHead;
  readonly bodyFraming: OutgoingRequest["body"];
  readonly upgrade = undefined;
  readonly halfClosed = false;
  onDrain: () => void = nothing;
  onGone: () => void = nothing;
  onHalfClose: () => void = nothing;
  private readonly session: ServerHttp2Session;
  private readonly stream: ServerHttp2Stream;
  private readonly pieces: PieceWriter;
  private requestTrailers: readonly string[] = [];
  private answerTrailers: readonly string[] = [];
  private ended = false;

  constructor(
    session: ServerHttp2Session,
    stream: ServerHttp2Stream,
    raw: readonly string[],
    whole: boolean,
  ) {
    const rawHeaders = plainFields(raw);
    this.head = {
      method: pseudo(raw, ":method") ?? "",
      path: pseudo(raw, ":path") ?? "",
      // RFC 9113 8.3.1: one of the two says it.
      authority: pseudo(raw, ":authority") ?? valuesOf(rawHeaders, "host")[0] ?? "",
      scheme: "http",
      rawHeaders,
    };
    this.bodyFraming = whole ? "none" : hasField(rawHeaders, "content-length") ? "length" : "chunked";
    this.session = session;
    this.stream = stream;
    if (!whole) joinPieces(stream);
    const onDrain = (): void => this.onDrain();
    this.pieces = new PieceWriter(stream, onDrain);
    stream.on("drain", onDrain);
    stream.on("error", nothing); // "close" follows
    stream.on("trailers", (_headers, _flags, rawTrailers?: string[]) => {
      this.requestTrailers = rawTrailers ?? [];
    });
    stream.on("wantTrailers", () => sendTrailers(stream, this.answerTrailers));
    // "close" waits for who reads the body, who may wait for an answer.
    for (const event of ["aborted", "close"]) stream.once(event, () => this.tellGone());
  }

  get body(): Readable | undefined {
    return this.bodyFraming === "none" ? undefined : this.stream;
  }

  trailers(): readonly string[] {
    return this.requestTrailers;
  }

  endConnection(): void {
    this.session.close();
  }

  inform({ status, rawHeaders }: ResponseHead): void {
    if (!isOver(this.stream))
      this.stream.additionalHeaders({ ":status": status, ...headersObject(rawHeaders) });
  }

  answer({ status, rawHeaders }: ResponseHead, framing: AnswerFraming): void {
    if (isOver(this.stream)) return;
    const headers = [":status", String(status), ...http2Fields(rawHeaders)];
    const endStream = framing === "none";
    const options = { endStream, waitForTrailers: !endStream, sendDate: false };
    this.stream.respond(headers, options);
    this.ended = endStream;
  }

  write(chunk: Buffer): boolean {
    return isOver(this.stream) || this.pieces.write(chunk);
  }

  end(rawTrailers: readonly string[]): void {
    if (this.ended) return;
    this.ended = true;
    this.answerTrailers = rawTrailers;
    this.stream.end();
  }

  switchTo(): Duplex {
    throw new Error("a request of HTTP/2 was answered 101");
  }

  private tellGone(): void {
    if (this.ended) return;
    this.ended = true;
    this.onGone();
  }

  abort(): void {
    this.ended = true;
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
