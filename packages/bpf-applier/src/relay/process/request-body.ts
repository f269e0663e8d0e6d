import type { Call } from "./call.ts";
import type { Exchange } from "./message.ts";
import type { Mirroring } from "./mirroring.ts";
import { mostPieces } from "./piece-writer.ts";

/** Bytes of a body that are kept so that it can be sent again; a longer one is sent once. */
const keptLimit = 65_536;

/**
 * The body of a request on its way: read from the caller as fast as the endpoint takes it, and kept as far as it may have
 * to be sent once more.
 */
export class RequestBody {
  /** Bytes that came. */
  bytes = 0;
  private readonly call: Call;
  private readonly whole: () => void;
  /** Undefined: some of it is not kept any more. */
  private kept: Buffer[] | undefined = [];
  private ended: boolean;
  private listening = false;
  private target: Exchange | undefined;
  private readonly copies: readonly Mirroring[];

  /**
   * @param copies get each piece as it comes, too
   * @param whole called when all of it came
   */
  constructor(call: Call, copies: readonly Mirroring[], whole: () => void) {
    this.call = call;
    this.copies = copies;
    this.whole = whole;
    this.ended = call.body === undefined;
  }

  /** All of it that came can be sent to another endpoint. */
  get repeatable(): boolean {
    return this.kept !== undefined;
  }

  /** Nothing of it was sent, nor ever will be. */
  get empty(): boolean {
    return this.call.body === undefined;
  }

  /**
   * Sends all of it to an exchange.
   * @param mayRepeat it is kept while it is short
   */
  sendTo(exchange: Exchange, mayRepeat: boolean): void {
    this.target = exchange;
    if (this.empty) return;
    for (const chunk of this.kept ?? []) exchange.write(chunk);
    if (!mayRepeat) this.kept = undefined;
    if (this.ended) exchange.end(this.call.trailers());
    else this.listen();
  }

  /** The endpoint takes more. */
  resume(): void {
    if (this.listening) this.call.body?.resume();
  }

  /** Nobody takes any of it from now on: what still comes is dropped, so that the caller's next request can be read. */
  close(): void {
    this.target = undefined;
    if (this.ended) return;
    for (const copy of this.copies) copy.giveUp();
    this.resume();
  }

  /** Nobody takes it at the moment. */
  detach(): void {
    this.target = undefined;
    if (this.listening) this.call.body?.pause();
  }

  private listen(): void {
    const { body } = this.call;
    if (body === undefined) return;
    if (this.listening) {
      body.resume();
      return;
    }
    this.listening = true;
    body.on("data", (chunk: Buffer) => this.onData(chunk));
    body.on("end", () => {
      this.ended = true;
      this.target?.end(this.call.trailers());
      for (const copy of this.copies) copy.end();
      this.whole();
    });
  }

  private onData(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.kept !== undefined) this.kept = this.bytes <= keptLimit ? kept(this.kept, chunk) : undefined;
    for (const copy of this.copies) copy.write(chunk);
    if (this.target?.write(chunk) === false) this.call.body?.pause();
  }
}

/** Many short pieces are joined, which take many times their bytes. */
function kept(pieces: Buffer[], next: Buffer): Buffer[] {
  pieces.push(next);
  return pieces.length < mostPieces ? pieces : [Buffer.concat(pieces)];
}
