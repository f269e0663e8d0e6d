// A pod's server: says who it is, over HTTP (in chunks, but for the path "/sized"; of "/held" not at all) and over UDP. Arguments: its name, and the
// port to listen on.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";

const [pod = "", port = "8080"] = process.argv.slice(2);

const web = createServer((request, response) => {
  if (request.url === "/held") return;
  const body = JSON.stringify({ pod, caller: request.socket.remoteAddress });
  const sized = request.url?.endsWith("/sized") ? { "content-length": Buffer.byteLength(body) } : {};
  response.writeHead(200, { "content-type": "application/json", ...sized }).end(body);
});
web.listen({ host: "::", port: Number(port), backlog: 1024 }, () => {
  const datagrams = createSocket("udp6");
  datagrams.on("message", (bytes, from) => {
    const answer = JSON.stringify({ pod, caller: from.address, asked: bytes.toString() });
    datagrams.send(answer, from.port, from.address);
  });
  datagrams.bind({ address: "::", port: Number(port) }, () => process.stdout.write("listening\n"));
});
