import { once } from "node:events";
import type { Socket } from "node:net";
import { expect } from "vitest";
import type { Holding } from "../../holding/holding.ts";
import {
  listening,
  RelayWorld,
  rawServer,
  readUntil,
  service,
  setName,
  workload,
} from "../../testing/relay-world.ts";
import { defaultBounds, type PoolBounds } from "../link-pools.ts";
import { PlayedKernel } from "./played-kernel.ts";

/** Cookie of the one caller's socket. */
export const caller = 77n;
export const get = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
export const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** A request that the server does not answer by itself. */
export const held = "GET /held HTTP/1.1\r\nHost: web\r\n\r\n";

/** A relay of whose requests a test takes some, and a server of which it sees each connection. */
export class SwitchedWorld {
  readonly kernel: PlayedKernel;
  /** The server's ends, in the order in which they came. */
  readonly connections: readonly Socket[];
  readonly relay: RelayWorld;
  /** The one caller. */
  readonly socket: Socket;

  private constructor(
    relay: RelayWorld,
    kernel: PlayedKernel,
    connections: readonly Socket[],
    socket: Socket,
  ) {
    this.relay = relay;
    this.kernel = kernel;
    this.connections = connections;
    this.socket = socket;
  }

  /** Comes to where programs may take a request: the relay has answered two, and has opened a link. */
  static async open(
    stack: AsyncDisposableStack,
    bounds: PoolBounds = defaultBounds,
    answer: string = ok,
    holding?: Holding,
  ): Promise<SwitchedWorld> {
    const kernel = new PlayedKernel();
    const connections: Socket[] = [];
    const server = rawServer((socket) => {
      connections.push(socket);
      socket.on("data", (bytes: Buffer) => {
        if (bytes.toString().startsWith("GET / ")) socket.write(answer);
      });
    });
    const port = await listening(stack, server);
    const relay = stack.use(await RelayWorld.start({ [setName]: [port] }, {}, { kernel, bounds, holding }));
    relay.origins.answer = { workload, service, cookie: caller };
    const socket = await relay.call();
    socket.write(get);
    expect(await readUntil(socket, "ok")).toMatch(/^HTTP\/1.1 200 OK/);
    kernel.lookAt(caller);
    socket.write(get);
    await readUntil(socket, "ok");
    await expect.poll(() => kernel.links.size).toBe(1);
    kernel.lookAt(caller); // from here on a link is idle
    return new SwitchedWorld(relay, kernel, connections, socket);
  }

  /** The server's end of the link. */
  get linkEnd(): Socket {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error("the server has no connection");
    return last;
  }

  /** Another caller's request is answered: the relay has seen what was sent to it before. */
  async othersAnswered(): Promise<void> {
    this.relay.origins.answer = { workload, service, cookie: 78n };
    const other = await this.relay.call();
    other.write(get);
    await readUntil(other, "ok");
  }

  /** Programs take a request; the server has it. @returns the link's cookie */
  async take(request: string): Promise<bigint> {
    await expect.poll(() => this.kernel.handbacks.get(caller)).toBeDefined();
    const link = this.kernel.take(caller, request);
    await once(this.linkEnd, "data");
    return link;
  }
}
