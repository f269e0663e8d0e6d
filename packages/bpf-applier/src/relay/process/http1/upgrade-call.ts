import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { RequestHead } from "../../policy/types.ts";
import type { Call } from "../call.ts";
import type { AnswerFraming, ResponseHead } from "../message.ts";
import { PieceWriter } from "../piece-writer.ts";
import type { ReadRequest } from "./request-head.ts";
import { responseText } from "./response-text.ts";

const nothing = (): void => {};

/**
 * A request that offers to change the protocol (WebSocket). Node's parser has let go of the connection: whatever the answer, no
 * other request follows on it.
 */
export class UpgradeCall implements Call {
  readonly head: RequestHead;
  readonly bodyFraming = "none";
  readonly body: Readable | undefined = undefined;
  readonly upgrade: string | undefined;
  onDrain: () => void = nothing;
  onGone: () => void = nothing;
  onHalfClose: () => void = nothing;
  private readonly socket: Socket;
  private readonly pieces: PieceWriter;
  private chunked = false;
  private ended = false;

  constructor(request: IncomingMessage, socket: Socket, { head }: ReadRequest) {
    this.head = head;
    this.upgrade = request.headers.upgrade;
    this.socket = socket;
    const onDrain = (): void => this.onDrain();
    this.pieces = new PieceWriter(socket, onDrain);
    socket.on("drain", onDrain);
    socket.on("error", nothing); // "close" follows
    socket.once("end", () => this.onHalfClose());
    socket.once("close", () => {
      if (!this.ended) this.onGone();
    });
  }

  get halfClosed(): boolean {
    return this.socket.readableEnded;
  }

  trailers(): readonly string[] {
    return [];
  }

  endConnection(): void {} // it is, anyway

  inform(head: ResponseHead): void {
    this.socket.write(responseText(head), "latin1");
  }

  answer(head: ResponseHead, framing: AnswerFraming): void {
    this.chunked = framing === "chunked";
    const rawHeaders = [...head.rawHeaders, "Connection", "close"];
    this.socket.write(responseText({ ...head, rawHeaders }), "latin1");
  }

  write(chunk: Buffer): boolean {
    return this.chunked ? this.pieces.writeChunk(chunk) : this.pieces.write(chunk);
  }

  end(): void {
    this.ended = true;
    this.socket.end(this.chunked ? "0\r\n\r\n" : "");
  }

  switchTo(head: ResponseHead): Duplex {
    this.ended = true;
    this.socket.write(responseText(head), "latin1");
    this.socket.removeAllListeners("drain");
    return this.socket;
  }

  abort(): void {
    this.ended = true;
    this.socket.destroy();
  }
}
