import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { Call } from "../call.ts";
import { Http2Call } from "./http2-call.ts";
import { fieldSettings } from "./http2-fields.ts";

/** Requests at once on one connection, as Envoy says it. */
const mostStreams = 100;
/** Bytes of a stream that are on their way at once; Node's default is the protocol's, 64 KiB. */
const streamWindow = 256 * 1024;
/** Of a request's head, after decompression. */
const headLimit = 65_536;

const settings = {
  maxConcurrentStreams: mostStreams,
  initialWindowSize: streamWindow,
  maxHeaderListSize: headLimit,
};

/** Callers that speak HTTP/2 from the first byte ("with prior knowledge"). */
export class Http2Front {
  private readonly onCall: (call: Call, socket: Socket) => void;
  private readonly sessions = new Set<ServerHttp2Session>();

  /** @param onCall with the connection that it came on */
  constructor(onCall: (call: Call, socket: Socket) => void) {
    this.onCall = onCall;
  }

  /** Connections end with the requests under way, and say so. */
  close(): void {
    for (const session of this.sessions) session.close();
  }

  /** @param socket whose first bytes were put back */
  accept(socket: Socket): void {
    const session = performServerHandshake(socket, { settings, ...fieldSettings });
    this.sessions.add(session);
    session.once("close", () => this.sessions.delete(session));
    session.on("error", () => socket.destroy());
    session.on("stream", (stream: ServerHttp2Stream, headers, flags: number, raw?: string[]) => {
      if (headers[":method"] === "CONNECT") return refuse(stream);
      const whole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      this.onCall(new Http2Call(session, stream, raw ?? [], whole), socket);
    });
  }
}

function refuse(stream: ServerHttp2Stream): void {
  stream.on("error", () => undefined);
  stream.respond({ ":status": 405 }, { endStream: true });
}
