import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import { connectInNamespace, datagramInNamespace, listenInNamespace } from "../namespace-sockets.ts";
import { makeNamespace } from "./places.ts";

/** The TCP port of a listening server. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

/** The next piece that a socket receives. */
export async function nextText(socket: Socket | DatagramSocket): Promise<string> {
  const [data]: unknown[] = await once(socket, socket instanceof Socket ? "data" : "message");
  return String(data);
}

/** The code of the next error of a socket. */
export async function nextErrorCode(socket: Socket): Promise<string | undefined> {
  return await new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
  });
}

/** A server in a namespace on a port of the kernel's choice. */
export async function serveInNamespace(
  stack: AsyncDisposableStack,
  netnsPath: string,
  { address = "127.0.0.1", port = 0 }: { address?: string; port?: number },
  onConnection?: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer(onConnection);
  server.listen({ fd: await listenInNamespace(netnsPath, { address, port, backlog: 16 }) });
  stack.defer(() => {
    server.close();
  });
  return server;
}

/** A UDP socket on the loopback of a namespace. */
export async function bindInNamespace(netnsPath: string, port: number): Promise<DatagramSocket> {
  const socket = createSocket("udp4");
  const fd = await datagramInNamespace(netnsPath, { address: "127.0.0.1", port });
  const listening = once(socket, "listening"); // with a descriptor it comes within bind
  socket.bind({ fd });
  await listening;
  return socket;
}

export interface Connection {
  /** The caller's descriptor, to be put into maps; `caller` owns it. */
  fd: number;
  caller: Socket;
  peer: Socket;
}

/** Two TCP connections over the loopback of a namespace of their own. */
export async function connectTwice(stack: AsyncDisposableStack): Promise<[Connection, Connection]> {
  const { path } = stack.use(makeNamespace());
  const server = await serveInNamespace(stack, path, {});
  const connect = async (): Promise<Connection> => {
    const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
    const fd = await connectInNamespace(path, { address: "127.0.0.1", port: portOf(server) });
    const caller = new Socket({ fd });
    const peer = await accepted;
    stack.defer(() => {
      caller.destroy();
      peer.destroy();
    });
    return { fd, caller, peer };
  };
  return [await connect(), await connect()];
}
