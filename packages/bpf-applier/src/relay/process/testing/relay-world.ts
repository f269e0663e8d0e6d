import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ApplicationProtocol,
  EndpointSetSchema,
  type PortRouteSchema,
  ServicePortSchema,
  WorkloadSchema,
} from "@keelson/protos/policy";
import type { Holding } from "../holding/holding.ts";
import type { AcceptedConnection, Origin, OriginLookup } from "../origin-lookup.ts";
import { RelayCore } from "../relay-core.ts";
import type { SwitchingKernel } from "../switching/kernel.ts";
import type { PoolBounds } from "../switching/link-pools.ts";
import type { HeadLimits } from "../unfinished-heads.ts";

export const workload = 7n;
export const service = 9n;
export const setName = "outbound|80||web.default.svc.cluster.local";

type PortInit = Extract<MessageInitShape<typeof ServicePortSchema>, { readonly $typeName?: never }>;
type RouteInit = Extract<MessageInitShape<typeof PortRouteSchema>, { readonly $typeName?: never }>;

/** Whose connections come in: all of them one workload's, to one service, unless a test says otherwise. */
export class TestOrigins implements OriginLookup {
  readonly asked: AcceptedConnection[] = [];
  answer: Origin | undefined = { workload, service, cookie: 0n };

  take(connection: AcceptedConnection): Origin | undefined {
    this.asked.push(connection);
    return this.answer;
  }
}

/** Who takes requests of the first route off the way to the relay: nobody, if left out. And who has its connections, too. */
export interface SwitchedBy {
  readonly kernel?: SwitchingKernel;
  readonly bounds?: PoolBounds;
  /** Where listeners and connections are held; they end with the process if left out. */
  readonly holding?: Holding | undefined;
  readonly heads?: HeadLimits;
  readonly idleMs?: number;
}

/** A relay in this process and its network namespace, on loopback, with servers of the test's behind it. */
export class RelayWorld implements AsyncDisposable {
  readonly origins = new TestOrigins();
  readonly core: RelayCore;
  port = 0;
  port6 = 0;
  private readonly sockets = new Set<Socket>();
  private readonly switchedRules: readonly number[];

  private constructor({ kernel, ...options }: SwitchedBy) {
    this.core = new RelayCore(this.origins, { kernel, ...options });
    this.switchedRules = kernel === undefined ? [] : [1];
  }

  /** @param port what differs from an HTTP port with one route for all requests */
  static async start(
    servers: Readonly<Record<string, readonly number[]>>,
    port: PortInit = {},
    switchedBy: SwitchedBy = {},
  ): Promise<RelayWorld> {
    const world = await RelayWorld.startWithoutPolicy(switchedBy);
    world.setPolicy(servers, port);
    return world;
  }

  static async startWithoutPolicy(switchedBy: SwitchedBy = {}): Promise<RelayWorld> {
    const world = new RelayWorld(switchedBy);
    const ports = await world.core.addNetwork({ cookie: 1n, path: undefined });
    world.port = ports.port4;
    world.port6 = ports.port6;
    return world;
  }

  /** @param servers ports on 127.0.0.1 by the name of their endpoint set */
  setPolicy(servers: Readonly<Record<string, readonly number[]>>, port: PortInit = {}): void {
    const endpointSets = Object.entries(servers).map(([name, ports]) => {
      const endpoints = ports.map((number) => ({
        address: Buffer.from([127, 0, 0, 1]),
        port: number,
        weight: 1,
      }));
      return [name, create(EndpointSetSchema, { name, endpoints })] as const;
    });
    const destinations = [{ weight: 1, endpointSet: setName }];
    const servicePort = create(ServicePortSchema, {
      port: 80,
      applicationProtocol: ApplicationProtocol.HTTP,
      destinations,
      routes: [{ route: { name: "all" }, destinations }],
      ...port,
    });
    this.core.applyPolicy({
      services: new Map([
        [
          service,
          { hostname: "web.default.svc.cluster.local", port: servicePort, switchedRules: this.switchedRules },
        ],
      ]),
      endpointSets: new Map(endpointSets),
      workloads: new Map([[workload, create(WorkloadSchema, { name: "caller", namespace: "default" })]]),
    });
  }

  /** A connection of a caller. */
  async call(port = this.port): Promise<Socket> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.sockets.add(socket);
    socket.on("error", () => undefined); // tests look at how it ends
    await once(socket, "connect");
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await this.core.close(0);
  }
}

/** The port of a server on 127.0.0.1, which ends with the stack. */
export async function listening(stack: AsyncDisposableStack, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that does with each connection what a test says. */
export const rawServer = (onConnection: (socket: Socket) => void): Server =>
  createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });

/**
 * A server that keeps what each connection brings.
 * @param saidTo all that it has said to a connection that has brought this
 * @param closes after it has said something
 */
export async function collecting(
  stack: AsyncDisposableStack,
  saidTo: (received: string) => string,
  closes = false,
): Promise<{ readonly received: readonly string[]; readonly port: number }> {
  const received: string[] = [];
  const server = rawServer((socket) => {
    const at = received.push("") - 1;
    let all = "";
    socket.on("data", (chunk: Buffer) => {
      const said = saidTo(all);
      all += chunk.toString("latin1");
      received[at] = all;
      socket.write(saidTo(all).slice(said.length), "latin1");
      if (closes) socket.end();
    });
    socket.on("end", () => socket.end());
  });
  return { received, port: await listening(stack, server) };
}

/** A server that keeps what it is sent, and answers the end of each message that it sees with a fixed text. */
export const scripted = (stack: AsyncDisposableStack, answer: string, closes = false) =>
  collecting(stack, (received) => answer.repeat(received.split("\r\n\r\n").length - 1), closes);

/** Routes with a destination each, named after it. */
export const routeTo = (name: string, init: RouteInit = {}): RouteInit => ({
  route: { name },
  destinations: [{ weight: 1, endpointSet: name }],
  ...init,
});

/** All that comes until the other end says no more, or goes. */
export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => resolve());
    socket.once("error", () => resolve());
  });
  return Buffer.concat(chunks).toString("latin1");
}

/** What came, once it ends as wanted, or with the connection. */
export async function readUntil(socket: Socket, end: string | RegExp): Promise<string> {
  let text = "";
  const whole = (): boolean => (typeof end === "string" ? text.endsWith(end) : end.test(text));
  const { promise, resolve } = Promise.withResolvers<void>();
  const onReadable = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      text += chunk.toString("latin1");
    }
    if (whole()) resolve();
  };
  const listeners = { readable: onReadable, end: resolve, close: resolve, error: resolve };
  for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
  onReadable();
  if (!whole() && !socket.readableEnded && !socket.destroyed) await promise;
  for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
  return text;
}
