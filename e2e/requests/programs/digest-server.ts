// A server that says what it was sent, and sends what it is asked for; argument: the port to listen on. Every answer has the
// digest of the request's body, a body of `x-answer-bytes` bytes made of `x-seed`, and what the server has seen so far.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { bytesOf } from "./bytes-of.ts";

const [port = "8080"] = process.argv.slice(2);
const sockets = new Set<Socket>();
let requests = 0;
let bytesOfGone = 0;

const server = createServer((request, response) => {
  const digest = createHash("sha256");
  request.on("data", (piece: Buffer) => digest.update(piece));
  request.on("end", () => {
    requests += 1;
    const bytes = [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, bytesOfGone);
    const header = (name: string): number => Number(request.headers[name] ?? 0);
    response
      .writeHead(200, {
        "x-digest": digest.digest("hex"),
        "x-seen-requests": requests,
        "x-seen-bytes": bytes,
        "content-length": header("x-answer-bytes"),
      })
      .end(bytesOf(header("x-seed"), header("x-answer-bytes")));
  });
});
server.keepAliveTimeout = 600_000;
server.on("connection", (socket) => {
  sockets.add(socket);
  socket.on("close", () => {
    sockets.delete(socket);
    bytesOfGone += socket.bytesRead;
  });
});
server.listen({ host: "::", port: Number(port) }, () => process.stdout.write("listening\n"));
