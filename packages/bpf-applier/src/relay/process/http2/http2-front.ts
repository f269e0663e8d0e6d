import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { Call } from "../call.ts";
import type { HeadReader, UnfinishedHead } from "../unfinished-heads.ts";
import { CallerSession, type SessionTimes } from "./caller-session.ts";
import { Http2Call } from "./http2-call.ts";
import { fieldSettings } from "./http2-fields.ts";

/** Requests at once on one connection, as Envoy says it. */
const mostStreams = 100;
/** Bytes of a stream that are on their way at once; Node's default is the protocol's, 64 KiB. */
const streamWindow = 256 * 1024;
/** Of a request's head, after decompression. */
const headLimit = 65_536;
/** Milliseconds between two looks at whose callers take too long, at most. */
const lookMs = 250;

const settings = {
  maxConcurrentStreams: mostStreams,
  initialWindowSize: streamWindow,
  maxHeaderListSize: headLimit,
};

/** Callers that speak HTTP/2 from the first byte ("with prior knowledge"). */
export class Http2Front implements HeadReader {
  private readonly onCall: (call: Call, socket: Socket) => void;
  private readonly times: SessionTimes;
  private readonly sessions = new Map<Socket, CallerSession>();
  private readonly timer: NodeJS.Timeout;
  private closing = false;

  /** @param onCall with the connection that it came on */
  constructor(onCall: (call: Call, socket: Socket) => void, times: SessionTimes) {
    this.onCall = onCall;
    this.times = times;
    this.timer = setInterval(() => this.look(), Math.min(lookMs, times.headMs / 4)).unref();
  }

  /** Connections end with the requests under way, and say so. */
  close(): void {
    this.closing = true;
    for (const session of this.sessions.values()) session.close();
  }

  /**
   * @param socket whose first bytes were put back
   * @param network that it comes from
   */
  accept(socket: Socket, network: object): void {
    const session: ServerHttp2Session = performServerHandshake(socket, { settings, ...fieldSettings });
    const caller = new CallerSession(session, socket, network, this.times);
    this.sessions.set(socket, caller);
    session.once("close", () => this.sessions.delete(socket));
    session.on("error", () => socket.destroy());
    session.on("stream", (stream: ServerHttp2Stream, headers, flags: number, raw?: string[]) => {
      caller.begin(stream);
      if (headers[":method"] === "CONNECT") return refuse(stream);
      const whole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      this.onCall(new Http2Call(session, stream, raw ?? [], whole), socket);
    });
  }

  unfinished(): UnfinishedHead[] {
    return [...this.sessions].flatMap(([socket, { network, begun }]) =>
      begun === undefined ? [] : [{ socket, network, bytes: begun }],
    );
  }

  refuseUnfinished(socket: Socket): void {
    this.sessions.get(socket)?.refuse();
  }

  private look(): void {
    const now = performance.now();
    for (const session of this.sessions.values()) session.look(now);
    if (this.closing && this.sessions.size === 0) clearInterval(this.timer);
  }
}

function refuse(stream: ServerHttp2Stream): void {
  stream.on("error", () => undefined);
  stream.respond({ ":status": 405 }, { endStream: true });
}
