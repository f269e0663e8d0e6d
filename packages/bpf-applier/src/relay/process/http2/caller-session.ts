import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** Of one head nghttp2 takes nine frames, each of up to 16 KiB; beyond, it ends the connection. */
const mostOfHead = 9 * 16_384;

export interface SessionTimes {
  /** Milliseconds for a caller's SETTINGS, for a head from its first bytes to its last, and for its end of a connection that has ended here. */
  readonly headMs: number;
  /** Milliseconds without a request, after which the connection ends. */
  readonly idleMs: number;
}

/**
 * What is known of a caller's connection between its requests. Node does not tell of a head before it is whole; but nghttp2 knows the
 * last stream that has begun. Where Node has told of no request on it, its head is not whole, or it was refused as malformed. A PING
 * tells which: within a head a caller can send nothing else, so that its answer comes behind the head.
 */
export class CallerSession {
  readonly network: object;
  private readonly session: ServerHttp2Session;
  private readonly socket: Socket;
  private readonly times: SessionTimes;
  /** The last stream whose head is over. */
  private lastWhole = 0;
  private requests = 0;
  /** By the clock of performance.now(): since then there is no request. */
  private idleSince = performance.now();
  /** Since then something is begun that the caller has to go on with; at first it is the connection itself (RFC 9113 3.4). */
  private begunSince: number | undefined = this.idleSince;
  private endedSince: number | undefined;
  /** Bytes of the connection that came before what is begun. */
  private readBefore = 0;
  private readonly onRequestEnd = (): void => {
    this.requests--;
    if (this.requests === 0) this.idleSince = performance.now();
  };

  /** @param network that the connection comes from */
  constructor(session: ServerHttp2Session, socket: Socket, network: object, times: SessionTimes) {
    this.session = session;
    this.socket = socket;
    this.network = network;
    this.times = times;
    session.once("remoteSettings", () => this.onWhole(0));
  }

  /** A request's head is whole. */
  begin(stream: ServerHttp2Stream): void {
    this.requests++;
    stream.on("close", this.onRequestEnd);
    this.onWhole(stream.id ?? 0);
  }

  /** Ends with the requests under way. */
  close(): void {
    this.session.close();
  }

  /** Ends at once, with a GOAWAY that says that it was too much. */
  refuse(): void {
    const error = new Error("the caller has begun what it does not go on with");
    this.session.destroy(error, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Bytes of what is begun; undefined: nothing is. */
  get begun(): number | undefined {
    if (this.begunSince === undefined || this.session.destroyed) return undefined;
    return Math.min(this.socket.bytesRead - this.readBefore, mostOfHead);
  }

  /** Ends the connection if its caller takes too long. @param now by the clock of performance.now() */
  look(now: number): void {
    const { headMs, idleMs } = this.times;
    if (this.session.destroyed) {
      this.endedSince ??= now;
      if (now - this.endedSince > headMs) this.socket.destroy();
      return;
    }
    if (this.begunSince === undefined) this.lookForHead(now);
    else if (now - this.begunSince > headMs) return this.refuse();
    if (this.requests === 0 && now - this.idleSince > idleMs) this.close();
  }

  private lookForHead(now: number): void {
    const { bytesRead } = this.socket;
    if (bytesRead === this.readBefore) return;
    const begun = this.session.state.lastProcStreamID ?? 0;
    if (begun <= this.lastWhole) {
      this.readBefore = bytesRead;
      return;
    }
    this.begunSince = now;
    // An error is no answer: so many may be outstanding, and then none is sent.
    this.session.ping((error) => error === null && this.onWhole(begun));
  }

  /** @param stream whose head, and all before, is over */
  private onWhole(stream: number): void {
    if (stream < this.lastWhole) return; // said of one that is over for long
    this.lastWhole = stream;
    this.begunSince = undefined;
  }
}
