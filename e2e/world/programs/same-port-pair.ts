// Two connections from one port, of two addresses of the caller's. Says so once both are there, then asks on each, and prints
// what came back: two lines of status, as an array; "" for a connection that was closed.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const [host = "", port = "", localPort = "", ...addresses] = process.argv.slice(2);

const sockets = addresses.map((localAddress) =>
  connect({ host, port: Number(port), localPort: Number(localPort), localAddress }),
);
await Promise.all(sockets.map((socket) => once(socket, "connect")));
process.stdout.write("connected\n");
await once(process.stdin, "data");
process.stdout.write(`${JSON.stringify(await Promise.all(sockets.map(ask)))}\n`);
process.exit(0);

async function ask(socket: Socket): Promise<string> {
  socket.setEncoding("utf8").on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: pair\r\n\r\n");
  const answer = await Promise.race([once(socket, "data"), once(socket, "close")]);
  return typeof answer[0] === "string" ? (answer[0].split("\r\n", 1)[0] ?? "") : "";
}
