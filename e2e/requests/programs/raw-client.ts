// Sends given pieces on one connection, each in a send of its own, and prints all that comes back until the server closes. The
// arguments: host, port, pieces as JSON. A piece is sent once so many answers have come.
import { connect } from "node:net";
import type { Piece } from "../requests-world.ts";

const [host = "", port = "", pieces = "[]"] = process.argv.slice(2);
const left = JSON.parse(pieces) as Piece[];
let received = "";
const socket = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
socket.setEncoding("latin1");

function sendNext(): void {
  const answers = received.split("HTTP/1.1 ").length - 1;
  const [next] = left;
  if (next === undefined || next.afterAnswers > answers) return;
  left.shift();
  socket.write(next.text, "latin1", () => {
    if (left.length === 0) socket.end();
    else setImmediate(sendNext);
  });
}

socket.on("connect", sendNext);
socket.on("data", (text: string) => {
  received += text;
  sendNext();
});
socket.on("error", (error) => (received += `\n${error.message}`));
socket.on("close", () => process.stdout.write(received, "latin1", () => process.exit(0)));
