import { connect, createServer, type Server, type Socket } from "node:net";

/** Passes TCP connections on to a port of 127.0.0.1, and breaks them when it is told to. */
export class CuttableProxy {
  readonly port: number;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;
  private readonly state: { open: boolean };

  private constructor(port: number, server: Server, sockets: Set<Socket>, state: { open: boolean }) {
    this.port = port;
    this.server = server;
    this.sockets = sockets;
    this.state = state;
  }

  static async start(target: number): Promise<CuttableProxy> {
    const sockets = new Set<Socket>();
    const state = { open: true };
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
        socket.pipe(other);
      }
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
