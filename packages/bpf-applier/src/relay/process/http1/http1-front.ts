import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Call } from "../call.ts";
import { mostWaiting } from "../splice.ts";
import type { Conversation } from "../switching/conversation.ts";
import { type HeadReader, headLimits, type UnfinishedHead } from "../unfinished-heads.ts";
import { Http1Call } from "./http1-call.ts";
import { Http1Conversation, type Watchers } from "./http1-conversation.ts";
import { ParserWatch } from "./parser-watch.ts";
import { readRequest } from "./request-head.ts";
import { UpgradeCall } from "./upgrade-call.ts";

/** Bytes of a request's head; a larger one is answered 431. */
const mostOfHead = 65_536;

/** What is said of a request that is refused before anybody looks at its route; the connection ends behind it. */
const refusals = {
  400: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  408: "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  413: "HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\n\r\n",
  431: "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n",
  405: "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
};

/**
 * Callers that speak HTTP/1.x: Node's own strict parser, one request at a time. Malformed requests get its 400, heads that are too
 * large its 431.
 */
export class Http1Front implements HeadReader {
  private readonly server: Server;
  private readonly parsers: ParserWatch;
  private readonly conversations = new Map<Socket, Http1Conversation>();
  private readonly watchers: Omit<Watchers, "parsers">;
  private readonly headTimeMs: number;
  private readonly networks = new WeakMap<Socket, object>();
  private closing = false;

  /**
   * @param onCall with the connection that it came on
   * @param headTimeMs from a head's first byte to its last; a later one is answered 408
   */
  constructor(
    onCall: (call: Call, socket: Socket) => void,
    watchers: Omit<Watchers, "parsers">,
    headTimeMs = headLimits.timeMs,
  ) {
    this.watchers = watchers;
    this.headTimeMs = headTimeMs;
    const server = createServer({
      insecureHTTPParser: false,
      maxHeaderSize: mostOfHead,
      highWaterMark: mostWaiting,
      keepAliveTimeout: 0, // a relay never closes a connection of its own will: the caller could be sending just now
      headersTimeout: headTimeMs,
      connectionsCheckingInterval: headTimeMs / 4,
      requestTimeout: 0, // how long a caller may take for a body is its server's matter
      optimizeEmptyRequests: true,
      requireHostHeader: false, // without one it is refused here, as the connection's last
      shouldUpgradeCallback: mayUpgrade,
    });
    server.maxHeadersCount = 0; // else those above 2,000 would be dropped in silence
    // A caller may say that it sends no more, and wait for its answer.
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      const { socket } = request;
      const read = readRequest(request);
      if (read === undefined) return this.refuse(socket, 400);
      const call = new Http1Call(request, response, read);
      if (this.closing) call.endConnection();
      this.conversations.get(socket)?.begin(call, read.bodyFraming !== "none", () => onCall(call, socket));
    };
    server.on("request", onRequest);
    server.on("checkContinue", onRequest);
    server.on("checkExpectation", onRequest);
    server.on("connect", (_request, socket) => this.refuse(socket as Socket, 405));
    server.on("upgrade", (request: IncomingMessage, socket) => {
      const read = readRequest(request);
      if (read === undefined) return this.refuse(socket as Socket, 400);
      this.conversations
        .get(socket as Socket)
        ?.beginLast(() => onCall(new UpgradeCall(request, socket as Socket, read), socket as Socket));
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") this.onLateHead(socket as Socket);
      else this.refuseMalformed(error.code, socket as Socket);
    });
    this.server = server;
    this.parsers = new ParserWatch(server);
  }

  /** Closes connections on which nothing is under way; on the others, the answer of now is the last. */
  close(): void {
    this.closing = true;
    for (const conversation of this.conversations.values()) {
      const { calls } = conversation;
      for (const call of calls) call.endConnection();
      if (calls.length === 0) conversation.endIdle();
    }
  }

  /**
   * @param socket whose first bytes were put back
   * @param network that it comes from
   * @param switched programs take requests of the connection, too
   */
  accept(socket: Socket, network: object, switched: Conversation | undefined): void {
    this.networks.set(socket, network);
    const { parsers, watchers } = this;
    const conversation = new Http1Conversation(socket, switched, { parsers, ...watchers });
    this.conversations.set(socket, conversation);
    socket.once("close", () => this.conversations.delete(socket));
    // Node's requests have it from their socket: a body that nobody takes is read no further than this read, as its chunks may be short.
    Object.defineProperty(socket, "readableHighWaterMark", { value: 1 });
    const [bytesBefore, endBefore] = [listenersOf(socket, "data"), listenersOf(socket, "end")];
    this.server.emit("connection", socket);
    for (const parse of added(socket, "data", bytesBefore)) conversation.paceReads(parse);
    if (switched !== undefined)
      for (const end of added(socket, "end", endBefore)) deferEnd(conversation, end);
    socket.once("end", () => {
      for (const call of conversation.calls) call.onHalfClose();
    });
  }

  private refuse(socket: Socket, status: keyof typeof refusals): void {
    const answer = (): unknown => socket.end(refusals[status], () => socket.destroy());
    const conversation = this.conversations.get(socket);
    if (conversation === undefined) answer();
    else conversation.beginLast(answer);
  }

  unfinished(): UnfinishedHead[] {
    return this.parsers.withinRequests().flatMap((socket): UnfinishedHead | [] => {
      const conversation = this.conversations.get(socket);
      const network = this.networks.get(socket);
      if (network === undefined || conversation === undefined) return [];
      if (conversation.isLast || conversation.calls.length > 0) return [];
      return { socket, network, bytes: socket.bytesRead - conversation.readBefore };
    });
  }

  refuseUnfinished(socket: Socket): void {
    this.refuse(socket, 431);
  }

  /** A head is not whole in time. To Node, a connection on which nothing has come yet has begun one: it is another relay's, idle. */
  private onLateHead(socket: Socket): void {
    const conversation = this.conversations.get(socket);
    if (conversation === undefined || socket.bytesRead === 0) return;
    if (conversation.calls.length === 0) return this.refuse(socket, 408);
    // It is maybe not read on before an answer is whole: it has the same time again.
    conversation.isDoubtful = true;
    const { begun } = conversation;
    const look = (): unknown => conversation.begun === begun && this.onLateHead(socket);
    setTimeout(look, this.headTimeMs).unref();
  }

  /** As Node does it by itself: nothing is said into an answer that has begun, or of a connection that has ended. */
  private refuseMalformed(code: string | undefined, socket: Socket): void {
    const conversation = this.conversations.get(socket);
    const mayAnswer = socket.writable && conversation?.isAnswering !== true;
    if (!mayAnswer) socket.destroy();
    else if (code === "HPE_HEADER_OVERFLOW") this.refuse(socket, 431);
    else if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") this.refuse(socket, 413);
    else this.refuse(socket, 400);
  }
}

/**
 * An offer may be passed over (RFC 9110 7.8). That of HTTP/2 is, which Java's client makes with its first request; and any with a
 * body, which would have to reach the server before what is spoken then.
 */
function mayUpgrade({ headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return !hasBody && !/h2c/i.test(headers.upgrade ?? "");
}

type Listener = (bytes?: Buffer) => void;

const listenersOf = (socket: Socket, event: string): Listener[] => socket.listeners(event) as Listener[];

/** What Node's server listens with since then. */
const added = (socket: Socket, event: string, before: readonly Listener[]): Listener[] =>
  listenersOf(socket, event).filter((listener) => !before.includes(listener));

/** The server ends its side once the caller sends no more: not before what programs have under way has been read. */
function deferEnd(conversation: Http1Conversation, end: () => void): void {
  const { socket } = conversation;
  socket.removeListener("end", end);
  socket.on("end", () =>
    conversation.whenSettled(() => {
      if (!conversation.isLast) end.call(socket);
    }),
  );
}
