// Sends requests from inside a pod on connections that are kept. Each line of standard input is a CallerRequest as JSON; for
// each, a line of output says what came of it, a CallerAnswer. It ends with its standard input.
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import type { CallerAnswer, CallerRequest } from "../keep-alive-caller.ts";
import { formatPeer } from "./format-peer.ts";

const agents = new Map<string, Agent>();

function agentOf(connection: string): Agent {
  const agent = agents.get(connection) ?? new Agent({ keepAlive: true, maxSockets: 1 });
  agents.set(connection, agent);
  return agent;
}

function ask({ id, connection, content, rawHeaders, ...asked }: CallerRequest): Promise<CallerAnswer> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ id, error: error.code ?? error.message });
    const headers = rawHeaders === undefined ? asked.headers : [...rawHeaders];
    const call = request({ ...asked, headers, agent: agentOf(connection) }, (response) => {
      const { socket, statusCode: status = 0 } = response;
      const peer = formatPeer(socket.remoteAddress, socket.remotePort);
      const localPort = socket.localPort ?? 0;
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      response.once("error", failed);
      response.once("end", () =>
        resolve({ id, status, rawHeaders: response.rawHeaders, body, peer, localPort }),
      );
    });
    call.once("error", failed);
    // Headers and content are one text, and headers are bytes.
    call.end(content, "latin1");
  });
}

process.stdout.write("listening\n");
for await (const line of createInterface({ input: process.stdin })) {
  void ask(JSON.parse(line) as CallerRequest).then((answer) =>
    process.stdout.write(`${JSON.stringify(answer)}\n`),
  );
}
process.exit(0);
