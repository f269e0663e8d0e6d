import type { Server } from "node:http";
import type { Socket } from "node:net";

/** What Node keeps of the connections of a server, for its own time limits. */
interface Connections {
  /** Parsers that are in the midst of a request. */
  active(): readonly { readonly socket?: Socket | null }[];
}

/**
 * Tells whether a connection's parser is in the midst of a request. Node has no public word for it, so whoever relies on it
 * asks within a request, too, where the answer is known.
 */
export class ParserWatch {
  private readonly connections: Connections | undefined;

  /** @param server that does not listen by itself */
  constructor(server: Server) {
    server.emit("listening"); // from then on it keeps them
    const kept = Object.getOwnPropertySymbols(server).find(
      ({ description }) => description === "http.server.connections",
    );
    const found = kept && (server as unknown as Record<symbol, Partial<Connections> | undefined>)[kept];
    this.connections = typeof found?.active === "function" ? (found as Connections) : undefined;
  }

  /** @returns undefined: it cannot be told */
  isWithinRequest(socket: Socket): boolean | undefined {
    const { parser } = socket as Socket & { readonly parser?: object | null };
    if (parser == null || this.connections === undefined) return undefined;
    // For Node a request begins with the connection; one that another process had before may stay as it is for long.
    return socket.bytesRead > 0 && this.connections.active().includes(parser);
  }

  /** Connections in the midst of a request, as far as it can be told. */
  withinRequests(): Socket[] {
    return (this.connections?.active() ?? []).flatMap(({ socket }) => socket ?? []);
  }
}
