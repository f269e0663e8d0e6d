import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A Unix socket whose connections are carried on to a port of 127.0.0.1: programs in namespaces that have no way to this
 * machine's loopback interface reach it through the file system.
 */
export class UnixForwarder implements AsyncDisposable {
  readonly path: string;
  private readonly server: Server;
  private readonly open = new Set<Socket>();

  private constructor(path: string, port: number) {
    this.path = path;
    this.server = createServer((from) => {
      const to = connect({ host: "127.0.0.1", port });
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.open.add(one);
        one.on("error", () => other.destroy()).on("close", () => this.open.delete(one));
        one.pipe(other);
      }
    });
  }

  static async start(path: string, port: number): Promise<UnixForwarder> {
    const forwarder = new UnixForwarder(path, port);
    forwarder.server.listen(path);
    await once(forwarder.server, "listening");
    return forwarder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    for (const socket of this.open) socket.destroy();
    await closed;
  }
}
