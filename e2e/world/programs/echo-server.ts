// A pod's server: says who it is, over HTTP and over UDP. Arguments: its name, and the port to listen on. Answers over HTTP come in
// chunks, but for paths that end with "/sized"; those of "/later…" with the next request for "/now…", and of "/held" not at all.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";

const [pod = "", port = "8080"] = process.argv.slice(2);

/** Answer what is to be answered later. */
const waiting: (() => void)[] = [];

const web = createServer((request, response) => {
  if (request.url === "/held") return;
  const body = JSON.stringify({ pod, caller: request.socket.remoteAddress });
  const sized = request.url?.endsWith("/sized") ? { "content-length": Buffer.byteLength(body) } : {};
  const answer = (): unknown =>
    response.writeHead(200, { "content-type": "application/json", ...sized }).end(body);
  if (request.url?.startsWith("/later")) return void waiting.push(answer);
  if (request.url?.startsWith("/now")) for (const later of waiting.splice(0)) later();
  answer();
});
web.listen({ host: "::", port: Number(port), backlog: 1024 }, () => {
  const datagrams = createSocket("udp6");
  datagrams.on("message", (bytes, from) => {
    const answer = JSON.stringify({ pod, caller: from.address, asked: bytes.toString() });
    datagrams.send(answer, from.port, from.address);
  });
  datagrams.bind({ address: "::", port: Number(port) }, () => process.stdout.write("listening\n"));
});
