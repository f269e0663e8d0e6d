import { Informational } from "../informational.ts";
import type { AnswerFraming, ResponseHead } from "../message.ts";
import { framingOf, MalformedAnswer, persists, readHead, readTrailers } from "./answer-head.ts";

export interface AnswerEvents {
  onInformational(head: ResponseHead): void;
  /** @param persistent whether the connection may carry another request afterwards */
  onHead(head: ResponseHead, framing: AnswerFraming, persistent: boolean): void;
  /** Chunks that came in one read are one piece. */
  onBody(chunk: Buffer): void;
  /** Answer 101: nothing more is read here. @param rest bytes behind it */
  onUpgrade(head: ResponseHead, rest: Buffer): void;
  /** @param excess bytes that came behind the answer */
  onEnd(rawTrailers: readonly string[], excess: number): void;
}

/** Bytes of a head, and of all trailers. */
const headLimit = 65_536;
/** Of the line that says how long a chunk is, with its extensions. */
const chunkLineLimit = 4_096;

const headEnd = Buffer.from("\r\n\r\n");
const chunkLine = /^([0-9A-Fa-f]{1,13})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

type State = "idle" | "head" | "length" | "close" | "chunk line" | "chunk" | "chunk end" | "trailers";

/**
 * Reads the answers on one connection to an endpoint, one at a time, by RFC 9112, and refuses what could be read in two
 * ways: bare CR or LF, folded fields, Content-Length beside Transfer-Encoding, or two of either (sections 2.2, 5.2, 6.3).
 */
export class ResponseParser {
  private readonly events: AnswerEvents;
  private state: State = "idle";
  private informational = new Informational();
  private method = "";
  /** What cannot be read before more of it comes: part of a head, a chunk's line, trailers. */
  private held: Buffer | undefined;
  /** Bytes of the body, or of the chunk, that are still to come. */
  private remaining = 0;
  /** Of chunks of this read, not told yet: each of them as a write of its own would cost more than its bytes, where they are few. */
  private pieces: Buffer[] = [];

  constructor(events: AnswerEvents) {
    this.events = events;
  }

  /** An answer is due, and nothing of it has come. */
  get untouched(): boolean {
    return this.state === "head" && this.held === undefined && this.informational.isNone;
  }

  /** An answer to such a request is due. */
  expect(method: string): void {
    this.method = method;
    this.state = "head";
    this.informational = new Informational();
  }

  /** Bytes of a body of known length that are still to come; 0: none, or it is not known. */
  get bodyLeft(): number {
    return this.state === "length" ? this.remaining : 0;
  }

  /**
   * So many of those bytes went another way.
   * @param excess bytes that came behind the last of them
   */
  skip(bytes: number, excess: number): void {
    this.remaining -= bytes;
    if (this.remaining === 0) this.end([], excess);
  }

  /**
   * @param chunk nothing of it is kept but by who was told of a body
   * @throws MalformedAnswer
   */
  execute(chunk: Buffer): void {
    let rest: Buffer | undefined = chunk;
    if (this.held !== undefined) {
      rest = Buffer.concat([this.held, chunk]);
      this.held = undefined;
    }
    try {
      while (rest !== undefined && rest.length > 0) {
        if (this.state === "idle") throw new MalformedAnswer(`${rest.length} bytes that nobody asked for`);
        rest = this.step(rest);
      }
    } finally {
      this.tellPieces(); // also what came before what is wrong
    }
  }

  /**
   * The connection ended.
   * @returns whether that was the answer's end
   * @throws MalformedAnswer if it ended in the middle
   */
  finish(): boolean {
    if (this.state === "close") {
      this.end([], 0);
      return true;
    }
    if (this.state === "idle" || (this.state === "head" && this.held === undefined)) return false;
    throw new MalformedAnswer("the connection ended in the middle of an answer");
  }

  /** @returns what is left of the bytes; undefined: nothing, or they are held until more comes */
  private step(bytes: Buffer): Buffer | undefined {
    switch (this.state) {
      case "head":
        return this.readHead(bytes);
      case "length":
      case "chunk":
        return this.readBody(bytes);
      case "chunk line":
        return this.readChunkLine(bytes);
      case "chunk end":
        return this.readChunkEnd(bytes);
      case "trailers":
        return this.readTrailers(bytes);
      default:
        this.events.onBody(bytes);
        return undefined;
    }
  }

  private readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(headEnd);
    if (end < 0) return this.hold(bytes, headLimit, "head");
    if (end > headLimit) throw new MalformedAnswer(`its head is longer than ${headLimit} bytes`);
    const rest = bytes.subarray(end + headEnd.length);
    const { head, isHttp11 } = readHead(bytes.toString("latin1", 0, end));
    if (head.status < 200 && head.status !== 101) {
      if (!this.informational.add(end)) throw new MalformedAnswer(Informational.tooMany);
      this.events.onInformational(head);
      return rest;
    }
    if (head.status === 101) {
      this.state = "idle";
      this.events.onUpgrade(head, rest);
      return undefined;
    }
    this.begin(head, isHttp11, rest);
    return this.state === "idle" ? undefined : rest;
  }

  private begin(head: ResponseHead, isHttp11: boolean, rest: Buffer): void {
    const found = framingOf(head, this.method);
    const persistent = found.framing !== "close" && persists(found.connection, isHttp11);
    this.remaining = found.length;
    this.events.onHead(head, found.framing, persistent);
    if (found.framing === "none" || (found.framing === "length" && found.length === 0))
      this.end([], rest.length);
    else if (found.framing === "length") this.state = "length";
    else this.state = found.framing === "chunked" ? "chunk line" : "close";
  }

  private readBody(bytes: Buffer): Buffer | undefined {
    const piece = bytes.length > this.remaining ? bytes.subarray(0, this.remaining) : bytes;
    const rest = bytes.subarray(piece.length);
    this.remaining -= piece.length;
    if (this.state === "chunk") {
      this.pieces.push(piece);
      if (this.remaining === 0) this.state = "chunk end";
      return rest;
    }
    this.events.onBody(piece);
    if (this.remaining > 0) return undefined;
    this.end([], rest.length);
    return undefined;
  }

  private readChunkLine(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf("\r\n");
    if (end < 0) return this.hold(bytes, chunkLineLimit, "line of a chunk");
    const line = bytes.toString("latin1", 0, Math.min(end, chunkLineLimit));
    const [, size] = chunkLine.exec(line) ?? [];
    if (size === undefined) throw new MalformedAnswer(`"${line.slice(0, 80)}" is no length of a chunk`);
    this.remaining = Number.parseInt(size, 16);
    this.state = this.remaining === 0 ? "trailers" : "chunk";
    return bytes.subarray(end + 2);
  }

  private readChunkEnd(bytes: Buffer): Buffer | undefined {
    if (bytes.length < 2) return this.hold(bytes, 2, "chunk");
    if (bytes[0] !== 13 || bytes[1] !== 10) throw new MalformedAnswer("a chunk is longer than it says");
    this.state = "chunk line";
    return bytes.subarray(2);
  }

  private readTrailers(bytes: Buffer): Buffer | undefined {
    if (bytes.length >= 2 && bytes[0] === 13 && bytes[1] === 10) {
      this.end([], bytes.length - 2);
      return undefined;
    }
    const end = bytes.indexOf(headEnd);
    if (end < 0) return this.hold(bytes, headLimit, "trailers");
    this.end(readTrailers(bytes.toString("latin1", 0, end)), bytes.length - end - headEnd.length);
    return undefined;
  }

  private hold(bytes: Buffer, limit: number, what: string): undefined {
    if (bytes.length > limit) throw new MalformedAnswer(`its ${what} is longer than ${limit} bytes`);
    this.held = Buffer.from(bytes); // they are another read's, soon
    return undefined;
  }

  private tellPieces(): void {
    const { pieces } = this;
    const [first] = pieces;
    if (first === undefined) return;
    this.pieces = [];
    this.events.onBody(pieces.length === 1 ? first : Buffer.concat(pieces));
  }

  private end(rawTrailers: readonly string[], excess: number): void {
    this.tellPieces();
    this.state = "idle";
    this.events.onEnd(rawTrailers, excess);
  }
}
