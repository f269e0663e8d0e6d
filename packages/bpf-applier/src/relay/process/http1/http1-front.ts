import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Call } from "../call.ts";
import { mostWaiting } from "../splice.ts";
import { Http1Call } from "./http1-call.ts";
import { isWithinRequest } from "./parser-state.ts";
import { readRequest } from "./request-head.ts";
import { UpgradeCall } from "./upgrade-call.ts";

/** Bytes of a request's head; a larger one is answered 431. */
const headLimit = 65_536;

/** What is said of a request that is refused before anybody looks at its route; the connection ends behind it. */
const refusals = {
  400: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  405: "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
};

/**
 * Callers that speak HTTP/1.x: Node's own strict parser and its order of answers to pipelined requests. Malformed requests get
 * its 400, heads that are too large its 431.
 */
export class Http1Front {
  private readonly server: Server;
  /** Requests under way on each connection. */
  private readonly calls = new Map<Socket, Set<Http1Call>>();
  private readonly onAnswered: (socket: Socket) => void;
  private closing = false;

  /**
   * @param onCall with the connection that it came on
   * @param onAnswered whenever all that was read of a connection is answered, which stays open
   */
  constructor(onCall: (call: Call, socket: Socket) => void, onAnswered: (socket: Socket) => void) {
    this.onAnswered = onAnswered;
    const server = createServer({
      insecureHTTPParser: false,
      maxHeaderSize: headLimit,
      highWaterMark: mostWaiting,
      keepAliveTimeout: 0, // a relay never closes a connection of its own will: the caller could be sending just now
      headersTimeout: 0, // how long a caller may take is its server's matter
      requestTimeout: 0,
      optimizeEmptyRequests: true,
      // Java's client offers HTTP/2 with its first request; an offer may be passed over (RFC 9110 7.8).
      shouldUpgradeCallback: (request) => !/h2c/i.test(request.headers.upgrade ?? ""),
    });
    server.maxHeadersCount = 0; // else those above 2,000 would be dropped in silence
    // A caller may say that it sends no more, and wait for its answer.
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      const read = readRequest(request);
      if (read === undefined) return refuse(request.socket, 400);
      const call = new Http1Call(request, response, read);
      const calls = this.calls.get(request.socket);
      calls?.add(call);
      if (this.closing) call.endConnection();
      response.once("close", () => {
        calls?.delete(call);
        if (calls?.size === 0) this.answered(request.socket);
      });
      onCall(call, request.socket);
    };
    server.on("request", onRequest);
    server.on("checkContinue", onRequest);
    server.on("checkExpectation", onRequest);
    server.on("connect", (_request, socket) => refuse(socket as Socket, 405));
    server.on("upgrade", (request: IncomingMessage, socket, rest: Buffer) => {
      const read = readRequest(request);
      if (read === undefined) return refuse(socket as Socket, 400);
      onCall(new UpgradeCall(request, socket as Socket, rest, read), socket as Socket);
    });
    this.server = server;
  }

  /** Closes connections on which nothing is under way; on the others, the answer of now is the last. */
  close(): void {
    this.closing = true;
    for (const [socket, calls] of this.calls) {
      if (calls.size === 0) socket.end();
      for (const call of calls) call.endConnection();
    }
  }

  private answered(socket: Socket): void {
    if (socket.writable && isWithinRequest(socket) === false) this.onAnswered(socket);
  }

  /** @param socket whose first bytes were put back */
  accept(socket: Socket): void {
    const calls = new Set<Http1Call>();
    this.calls.set(socket, calls);
    socket.once("close", () => this.calls.delete(socket));
    this.server.emit("connection", socket);
    socket.once("end", () => {
      for (const call of calls) call.onHalfClose();
    });
  }
}

function refuse(socket: Socket, status: keyof typeof refusals): void {
  socket.end(refusals[status], () => socket.destroy());
}
