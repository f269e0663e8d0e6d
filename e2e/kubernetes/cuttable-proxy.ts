import { connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";

interface ProxyState {
  open: boolean;
  /** How long each piece of an answer is held back, in ms. */
  delayMs: number;
}

/** Passes TCP connections on to a port of 127.0.0.1, and breaks them when it is told to. */
export class CuttableProxy {
  readonly port: number;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;
  private readonly state: ProxyState;

  private constructor(port: number, server: Server, sockets: Set<Socket>, state: ProxyState) {
    this.port = port;
    this.server = server;
    this.sockets = sockets;
    this.state = state;
  }

  static async start(target: number): Promise<CuttableProxy> {
    const sockets = new Set<Socket>();
    const state: ProxyState = { open: true, delayMs: 0 };
    const server = createServer((near) => {
      if (!state.open) return void near.destroy();
      const far = connect(target, "127.0.0.1");
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
      }
      near.pipe(far);
      if (state.delayMs === 0) far.pipe(near);
      else far.pipe(holdBack(state.delayMs)).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    return new CuttableProxy(address.port, server, sockets, state);
  }

  /** Breaks what is connected; new connections are let through. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Holds back each piece of what is answered on connections that are made from now on. @param delayMs 0: no longer */
  slow(delayMs: number): void {
    this.state.delayMs = delayMs;
    this.cut();
  }

  /** Lets nothing through any more. */
  shut(): void {
    this.state.open = false;
    this.cut();
  }

  open(): void {
    this.state.open = true;
  }

  async close(): Promise<void> {
    this.shut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const holdBack = (delayMs: number): Transform =>
  new Transform({
    transform: (chunk, _, done) => {
      setTimeout(() => done(null, chunk), delayMs);
    },
  });
