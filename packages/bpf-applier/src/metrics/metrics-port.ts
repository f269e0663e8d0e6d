import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const plain = { "content-type": "text/plain" };

const defaultTryAgainMs = 2_000;

export interface MetricsPortOptions {
  /** "host:port"; the host of IPv6 in brackets, or empty for all. See {@link parseAddress}. */
  readonly address: string;
  /** Makes the text that is answered. */
  readonly read: () => Promise<string>;
  /** Told why it cannot be listened on, once for each reason. */
  readonly onError: (error: Error) => void;
  /** Milliseconds until the next attempt; 2,000 if left out. */
  readonly tryAgainMs?: number;
}

/**
 * Where Prometheus asks a node for its counters: GET /metrics, for all who reach the address. GET /ready is answered with 200 as long as
 * it is open: once the agent serves its node.
 */
export class MetricsPort {
  private readonly options: MetricsPortOptions;
  private readonly server: Server;
  private timer: NodeJS.Timeout | undefined;
  private failure: string | undefined;

  private constructor(options: MetricsPortOptions) {
    this.options = options;
    this.server = createServer((request, response) => this.answer(request, response));
    this.server.on("error", (error) => this.onError(error));
  }

  /** It is listened on soon, or as soon as that can be done: a node is not left without an agent for the sake of it. */
  static open(options: MetricsPortOptions): MetricsPort {
    const port = new MetricsPort(options);
    port.listen();
    return port;
  }

  /** That is listened on; 0: none yet. */
  get port(): number {
    const address = this.server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  }

  close(): void {
    clearTimeout(this.timer);
    this.server.close();
    this.server.closeAllConnections();
  }

  private listen(): void {
    this.server.listen(parseAddress(this.options.address));
  }

  private onError(error: Error): void {
    if (error.message !== this.failure) this.options.onError(error);
    this.failure = error.message;
    this.timer = setTimeout(() => this.listen(), this.options.tryAgainMs ?? defaultTryAgainMs);
  }

  private answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    if (method === "GET" && url === "/ready") {
      response.writeHead(200, plain).end("ready\n");
      return;
    }
    if (method !== "GET" || url !== "/metrics") {
      response.writeHead(404, plain).end("GET /metrics or /ready\n");
      return;
    }
    this.options.read().then(
      (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
      (error: Error) => response.writeHead(500, plain).end(`${error.message}\n`),
    );
  }
}

/** @throws RangeError saying what would be right */
export function parseAddress(address: string): { readonly host: string | undefined; readonly port: number } {
  const [, host = "", port = ""] = /^(.*):(\d{1,5})$/.exec(address) ?? [];
  if (port === "" || Number(port) > 65_535) throw new RangeError(`"${address}": expected HOST:PORT`);
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return { host: bare === "" ? undefined : bare, port: Number(port) };
}
