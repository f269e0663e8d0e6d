import { createServer, type Server } from "node:http";

/** Where Prometheus asks a node for its counters: GET /metrics, for all who reach the address. */
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
      if (request.url !== "/metrics" || request.method !== "GET") {
        response.writeHead(404, { "content-type": "text/plain" }).end("GET /metrics\n");
        return;
      }
      read().then(
        (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
        (error: Error) => response.writeHead(500, { "content-type": "text/plain" }).end(`${error.message}\n`),
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
