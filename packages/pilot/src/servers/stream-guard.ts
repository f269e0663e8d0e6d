import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { constants, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { nextTick } from "node:process";
import { status } from "@grpc/grpc-js";
import { type Addresses, type Connections, peerOf } from "./connections.ts";
import { MessageMeter } from "./message-meter.ts";
import { type Begun, Unfinished } from "./unfinished.ts";

/** Bounds on what peers can make gRPC keep, whatever service they call. */
export interface StreamLimits {
  /** Bytes of a request's headers, counted as HTTP/2 does. */
  readonly headerBytes: number;
  /** Bytes of all requests that have begun and are not whole, with their headers. */
  readonly unfinishedBytes: number;
  /** Time in ms in which a message must be whole, from the beginning of its stream or its own first byte. */
  readonly unfinishedMs: number;
  /** Time in ms in which a peer must take something of what waits for it. */
  readonly unreadMs: number;
  /** Time in ms in which a peer must end its side of a stream that was answered. */
  readonly farewellMs: number;
}

export const defaultStreamLimits: StreamLimits = {
  headerBytes: 32 * 1024,
  unfinishedBytes: 128 * 1024 * 1024,
  unfinishedMs: 20_000,
  unreadMs: 60_000,
  farewellMs: 5_000,
};

export type CutKind = "headers" | "compressed" | "room" | "late" | "unread";

export interface CutStream {
  readonly kind: CutKind;
  readonly peer: string;
  readonly reason: string;
}

export interface StreamGuardOptions {
  readonly limits: StreamLimits;
  /** Streams of others' connections are left alone. */
  readonly connections: Connections;
  readonly onCut: (cut: CutStream) => void;
}

/** What a stream of which nothing is known but its headers takes in memory, about. */
const streamBytes = 8 * 1024;

/** How often it looks for streams that take too long, in ms. */
const lookEveryMs = 1_000;

const channel = "http2.server.stream.created";

/** When there is no room, so much of it is made at once. */
const roomMade = 0.1;

/** A connection of which so many streams were cut is closed as a whole. */
const cutsOfConnection = 100;

interface Watched extends Begun {
  readonly session: Http2Session;
  readonly stream: ServerHttp2Stream;
  readonly peer: string;
  /** It was cut. */
  over: boolean;
}

/**
 * Looks after the streams of all gRPC servers below gRPC itself, which bounds a message, but neither how many messages
 * may be half there, nor for how long, nor for how long a peer may leave unread what is sent to it.
 */
export class StreamGuard {
  private readonly options: StreamGuardOptions;
  private readonly unfinished = new Unfinished<Watched>();
  private readonly looking: NodeJS.Timeout;
  private readonly cuts = new WeakMap<Http2Session, number>();
  private open = 0;

  constructor(options: StreamGuardOptions) {
    this.options = options;
    subscribe(channel, this.onCreated);
    this.looking = setInterval(() => this.cutLate(), lookEveryMs).unref();
  }

  /** How many streams are open. */
  get size(): number {
    return this.open;
  }

  close(): void {
    unsubscribe(channel, this.onCreated);
    clearInterval(this.looking);
  }

  private readonly onCreated = (message: unknown): void => {
    const { stream, headers } = message as {
      readonly stream: ServerHttp2Stream;
      readonly headers: IncomingHttpHeaders;
    };
    const { session } = stream;
    if (session === undefined || session.destroyed || !this.options.connections.has(session.socket)) return;
    // Of a session that is gone, the socket may not even be looked at.
    const { localAddress, localPort, remoteAddress, remotePort } = session.socket;
    const addresses = { localAddress, localPort, remoteAddress, remotePort };
    const peer = peerOf(addresses);
    const watched: Watched = { session, stream, peer, bytes: 0, since: 0, over: false };
    this.open += 1;
    stream.once("close", () => {
      this.open -= 1;
      this.unfinished.set(watched, 0);
    });
    this.watch(watched, headers, addresses);
  };

  private watch(watched: Watched, headers: IncomingHttpHeaders, addresses: Addresses): void {
    const { limits } = this.options;
    const bytes = headerListBytes(headers);
    const encoding = headers["grpc-encoding"] ?? "identity";
    if (bytes > limits.headerBytes) {
      this.cut(watched, "headers", `${bytes} bytes of headers; at most ${limits.headerBytes} are read`);
    } else if (encoding !== "identity") {
      // A small message may become a large one.
      const reason = `messages in the encoding ${String(encoding)} are not read; send them as they are`;
      this.cut(watched, "compressed", reason);
    } else {
      this.keep(watched, streamBytes + bytes);
      this.follow(watched, addresses);
    }
  }

  private follow(watched: Watched, addresses: Addresses): void {
    const { limits, connections } = this.options;
    const { stream, bytes: opening } = watched;
    stream.setTimeout(limits.unreadMs, () => this.cutUnread(watched));
    stream.once("finish", () => this.expectFarewell(stream));
    const meter = new MessageMeter();
    const take = (piece: Uint8Array): void => {
      if (watched.over) return;
      const { whole } = meter;
      meter.take(piece);
      if (meter.whole > whole) this.unfinished.set(watched, 0);
      if (whole === 0 && meter.whole > 0) connections.hasAsked(addresses);
      this.keep(watched, meter.unfinished + (meter.whole === 0 ? opening : 0));
    };
    // Whoever listens first makes the stream flow, which must be its server: it does after this tick.
    nextTick(() => nextTick(() => stream.on("data", take)));
  }

  /** gRPC leaves it open until the peer ends it, or its connection. */
  private expectFarewell(stream: ServerHttp2Stream): void {
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), this.options.limits.farewellMs);
    timer.unref();
    stream.once("close", () => clearTimeout(timer));
  }

  private keep(watched: Watched, bytes: number): void {
    const { unfinishedBytes } = this.options.limits;
    this.unfinished.set(watched, bytes);
    const { total } = this.unfinished;
    if (total <= unfinishedBytes) return;
    const reason = `requests that are not whole take ${total} bytes; at most ${unfinishedBytes} are kept`;
    while (this.unfinished.total > unfinishedBytes * (1 - roomMade)) {
      const heaviest = this.unfinished.heaviest();
      if (heaviest === undefined) return;
      this.cut(heaviest, "room", reason);
    }
  }

  private cutLate(): void {
    const { unfinishedMs } = this.options.limits;
    for (const watched of this.unfinished.olderThan(performance.now() - unfinishedMs))
      this.cut(watched, "late", `no whole request within ${unfinishedMs} ms`);
  }

  private cutUnread(watched: Watched): void {
    const { unreadMs } = this.options.limits;
    if (watched.stream.writableLength === 0) return;
    this.cut(watched, "unread", `nothing was read of what was sent for ${unreadMs} ms`);
  }

  private cut(watched: Watched, kind: CutKind, reason: string): void {
    const { stream, peer, session } = watched;
    watched.over = true;
    this.unfinished.set(watched, 0);
    end(stream, kind, reason);
    this.options.onCut({ kind, peer, reason });
    const cuts = (this.cuts.get(session) ?? 0) + 1;
    this.cuts.set(session, cuts);
    if (cuts === cutsOfConnection) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** Ends a stream with a status that says why; if it has been answered already, with a code of HTTP/2. */
function end(stream: ServerHttp2Stream, kind: CutKind, reason: string): void {
  if (stream.destroyed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  const trailers = {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": statuses[kind],
    "grpc-message": encodeURIComponent(reason).replaceAll("%20", " "),
    ...(kind === "compressed" ? { "grpc-accept-encoding": "identity" } : {}),
  };
  stream.respond(trailers, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

const statuses: Readonly<Record<CutKind, status>> = {
  headers: status.RESOURCE_EXHAUSTED,
  compressed: status.UNIMPLEMENTED,
  room: status.RESOURCE_EXHAUSTED,
  late: status.DEADLINE_EXCEEDED,
  unread: status.RESOURCE_EXHAUSTED,
};

/** As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113, section 6.5.2). */
function headerListBytes(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const [name, value = ""] of Object.entries(headers))
    for (const each of [value].flat()) bytes += name.length + each.length + 32;
  return bytes;
}
