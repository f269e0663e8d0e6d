import type { Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";

/** How every HTTP/2 connection begins; no method of HTTP/1 is called so. */
const preface = Buffer.from("PRI");

/** A connection that says nothing for this time, in ms, is cut. */
const patienceMs = 15_000;

/**
 * One port for HTTP/1 and for gRPC in the clear, told apart by the first bytes of a connection.
 * @param http takes connections of HTTP/1
 * @param grpc takes connections of HTTP/2
 */
export function sharedPort(http: HttpServer, grpc: (socket: Socket) => void): Server {
  return createServer((socket) => {
    const cut = setTimeout(() => socket.destroy(), patienceMs);
    // Whoever takes the connection sees that it ends; gRPC looks for errors only while it has a call.
    socket.on("error", () => undefined);
    socket.once("close", () => clearTimeout(cut));
    let head = Buffer.alloc(0);
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      head = Buffer.concat([head, chunk]);
      const known = Math.min(head.length, preface.length);
      const isHttp2 = head.subarray(0, known).equals(preface.subarray(0, known));
      if (isHttp2 && known < preface.length) return;
      clearTimeout(cut);
      socket.off("readable", look);
      socket.unshift(head);
      if (isHttp2) grpc(socket);
      else http.emit("connection", socket);
    };
    socket.on("readable", look);
  });
}
