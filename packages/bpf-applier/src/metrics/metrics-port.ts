import { createServer, type Server } from "node:http";

const plain = { "content-type": "text/plain" };

/**
 * Where Prometheus asks a node for its counters: GET /metrics, for all who reach the address. GET /ready is answered with 200 as long as
 * it is open: once the agent serves its node.
 */
export class MetricsPort {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /**
   * @param address "host:port"; the host of IPv6 in brackets, or empty for all
   * @param read makes the text that is answered
   * @throws Error if it cannot be listened on
   */
  static async listen(address: string, read: () => Promise<string>): Promise<MetricsPort> {
    const server = createServer((request, response) => {
      if (request.method === "GET" && request.url === "/ready") {
        response.writeHead(200, plain).end("ready\n");
        return;
      }
      if (request.method !== "GET" || request.url !== "/metrics") {
        response.writeHead(404, plain).end("GET /metrics or /ready\n");
        return;
      }
      read().then(
        (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
        (error: Error) => response.writeHead(500, plain).end(`${error.message}\n`),
      );
    });
    const { host, port } = parseAddress(address);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    return new MetricsPort(server);
  }

  /** That is listened on. */
  get port(): number {
    const address = this.server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** @throws RangeError saying what would be right */
export function parseAddress(address: string): { readonly host: string | undefined; readonly port: number } {
  const [, host = "", port = ""] = /^(.*):(\d{1,5})$/.exec(address) ?? [];
  if (port === "" || Number(port) > 65_535) throw new RangeError(`"${address}": expected HOST:PORT`);
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return { host: bare === "" ? undefined : bare, port: Number(port) };
}
