import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Socket } from "node:net";
import type { OutgoingRequest } from "../message.ts";
import { fieldSettings, http2Fields } from "./http2-fields.ts";

/** Bytes of one answer that are on their way at once; Node's default is the protocol's, 64 KiB. */
const streamWindow = 256 * 1024;

/** A connection to an endpoint that speaks HTTP/2, for many requests at once. */
export class Http2Link {
  readonly openedAt = performance.now();
  /** By the clock of performance.now(). */
  idleSince = this.openedAt;
  /** Requests so far, and those under way. */
  carried = 0;
  underWay = 0;
  private readonly session: ClientHttp2Session;
  private readonly onFree: () => void;

  /**
   * @param onFree a request has ended
   * @param onClosed it carries nothing any more
   */
  constructor(socket: Socket, onFree: () => void, onClosed: () => void) {
    socket.setNoDelay(true);
    const settings = { enablePush: false, initialWindowSize: streamWindow };
    this.session = connect("http://endpoint", { createConnection: () => socket, settings, ...fieldSettings });
    this.session.on("error", () => undefined); // "close" follows
    this.session.once("close", onClosed);
    this.onFree = onFree;
  }

  /** Requests can be begun on it. */
  get usable(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  /** Requests that the endpoint takes at once. */
  get mostAtOnce(): number {
    return this.session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
  }

  /** Holds a place for a request. */
  take(): this {
    this.underWay++;
    this.carried++;
    return this;
  }

  /** A request has ended, or was not begun. */
  free(): void {
    this.underWay--;
    this.idleSince = performance.now();
    this.onFree();
  }

  /** Sends the head of a request. @throws Error for a head that cannot be sent */
  request({ method, target, authority, rawHeaders, body }: OutgoingRequest): ClientHttp2Stream {
    const pseudoFields = [":method", method, ":scheme", "http", ":authority", authority, ":path", target];
    const headers = [...pseudoFields, ...http2Fields(rawHeaders)];
    const endStream = body === "none";
    return this.session.request(headers, { endStream, waitForTrailers: !endStream });
  }

  /** Ends with the requests under way. */
  close(): void {
    if (!this.session.closed) this.session.close();
  }

  destroy(): void {
    this.session.destroy();
  }
}
