import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ownAnswer } from "../../policy/own-answer.ts";
import { fieldText, forwardedFields } from "../header-fields.ts";
import { ResponseParser } from "../http1/response-parser.ts";
import { responseText } from "../http1/response-text.ts";
import type { AnswerFraming, ResponseHead } from "../message.ts";
import { PieceWriter } from "../piece-writer.ts";

/** How a passed answer ended. */
export type PassedEnd =
  /** Whole; the link may carry another request. */
  | "reusable"
  /** Whole; the link may not. */
  | "last"
  /** Whole, and its end is that of the caller's connection. */
  | "closes"
  /** Not whole: the caller's connection is of no use. */
  | "broken";

export interface PassedAnswerOptions {
  /** The relay's end of the caller's connection. */
  readonly caller: Socket;
  /** The link that it comes on. */
  readonly link: Socket;
  /** The request was a HEAD. */
  readonly isHead: boolean;
  /** Called once; nothing is read of the link for it any more. */
  readonly onEnd: (end: PassedEnd) => void;
}

/** Carries one answer from a link to a caller, as the relay carries those of its own requests, no faster than the caller reads. */
export class PassedAnswer {
  private readonly caller: Socket;
  private readonly link: Socket;
  private readonly isHead: boolean;
  private readonly onEnd: (end: PassedEnd) => void;
  private readonly parser: ResponseParser;
  private readonly pieces: PieceWriter;
  private readonly onDrain = (): void => {
    if (!this.over) this.link.resume();
  };
  /** Of what the caller gets; 0: nothing yet. */
  status = 0;
  /** Of the body. */
  received = 0;
  private framing: AnswerFraming = "none";
  private persistent = true;
  private answering = false;
  private over = false;

  constructor({ caller, link, isHead, onEnd }: PassedAnswerOptions) {
    this.caller = caller;
    this.pieces = new PieceWriter(caller, this.onDrain);
    this.link = link;
    this.isHead = isHead;
    this.onEnd = onEnd;
    this.parser = new ResponseParser({
      onInformational: (head) => this.write(responseText(head)),
      onHead: (head, framing, persistent) => this.onHead(head, framing, persistent),
      onBody: (chunk) => this.onBody(chunk),
      // No request that programs take offers it.
      onUpgrade: () => this.refuse("a protocol that nobody asked for"),
      onEnd: (trailers, excess) => this.onWhole(trailers, excess),
    });
    this.parser.expect(isHead ? "HEAD" : "GET");
    caller.on("drain", this.onDrain);
  }

  execute(chunk: Buffer): void {
    if (this.over) return;
    try {
      this.parser.execute(chunk);
    } catch (error) {
      this.refuse((error as Error).message);
    }
  }

  /** The server sends no more. */
  finish(): void {
    if (this.over) return;
    try {
      if (!this.parser.finish()) this.end("broken");
    } catch {
      this.end("broken");
    }
  }

  private onHead({ rawHeaders, ...head }: ResponseHead, framing: AnswerFraming, persistent: boolean): void {
    this.framing = framing;
    this.persistent = persistent;
    this.answering = true;
    this.status = head.status;
    const fields = forwardedFields(rawHeaders, false);
    const ending = framing === "close" ? ["Connection", "close"] : [];
    this.write(responseText({ ...head, rawHeaders: [...fields, ...ending] }));
  }

  private onBody(chunk: Buffer): void {
    this.received += chunk.length;
    const { pieces } = this;
    const hasRoom = this.framing === "chunked" ? pieces.writeChunk(chunk) : pieces.write(chunk);
    if (!hasRoom) this.link.pause();
  }

  private onWhole(trailers: readonly string[], excess: number): void {
    if (this.framing === "chunked") this.write(`0\r\n${fieldText(forwardedFields(trailers, false))}\r\n`);
    if (this.framing === "close") this.end("closes");
    else this.end(this.persistent && excess === 0 ? "reusable" : "last");
  }

  /** As the relay says it of an answer to a request of its own; one that has begun cannot be taken back. */
  private refuse(why: string): void {
    if (this.over) return;
    if (this.answering) return this.end("broken");
    const { status, rawHeaders, body } = ownAnswer(
      { method: "GET", rawHeaders: [] },
      { status: 502, body: why },
    );
    this.status = status;
    const fields = [...rawHeaders, "date", new Date().toUTCString(), "content-length", String(body.length)];
    this.write(responseText({ status, reason: STATUS_CODES[status] ?? "", rawHeaders: fields }));
    if (!this.isHead) this.write(Buffer.from(body));
    this.end("last");
  }

  private write(piece: string | Buffer): void {
    const hasRoom = typeof piece === "string" ? this.caller.write(piece, "latin1") : this.caller.write(piece);
    if (!hasRoom) this.link.pause();
  }

  private end(how: PassedEnd): void {
    this.over = true;
    this.caller.off("drain", this.onDrain);
    this.link.resume();
    this.onEnd(how);
  }
}
