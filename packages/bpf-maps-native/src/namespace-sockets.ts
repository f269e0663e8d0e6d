import { BpfError } from "./bpf-error.ts";
import { type NativeHandle, native } from "./native.ts";

/** Where the socket lives: "/proc/123/ns/net", "/run/netns/x"; undefined for this process's own namespace. */
export type NetnsPath = string | undefined;

export interface ConnectOptions {
  /** IPv4 or IPv6 address, no name. */
  address: string;
  port: number;
  /** Up to 2^31 - 1, 10,000 ms if left out; then the error's code is ETIMEDOUT. */
  timeoutMs?: number;
  /** An address of the namespace to come from; the port is the kernel's choice. */
  sourceAddress?: string;
}

const defaultTimeoutMs = 10_000;
/** libuv's default for listening sockets. */
const defaultBacklog = 511;
const timedOut = { errno: 110, code: "ETIMEDOUT" };

/**
 * A TCP connection made in a network namespace. The descriptor is the caller's, for `new net.Socket({ fd })`.
 * The wait is on the event loop, so that slow peers hold no thread.
 */
export async function connectInNamespace(netnsPath: NetnsPath, options: ConnectOptions): Promise<number> {
  const { address, port, timeoutMs = defaultTimeoutMs } = options;
  const socket = await native.socketConnect(netnsPath, address, port, options.sourceAddress);
  try {
    if (!(await writable(socket, timeoutMs))) {
      const where = netnsPath === undefined ? "" : ` in ${netnsPath}`;
      const detail = `no answer within ${String(timeoutMs)} ms`;
      throw new BpfError({
        ...timedOut,
        operation: "connect",
        object: `${address}:${String(port)}${where}`,
        detail,
      });
    }
    native.socketConnected(socket);
    return native.socketTake(socket);
  } finally {
    native.close(socket);
  }
}

/** A listening TCP socket made in a network namespace, for `server.listen({ fd })`. Port 0: the kernel's choice. */
export async function listenInNamespace(
  netnsPath: NetnsPath,
  options: { address: string; port: number; backlog?: number },
): Promise<number> {
  const { address, port, backlog = defaultBacklog } = options;
  return native.socketTake(await native.socketListen(netnsPath, address, port, backlog));
}

/** A bound UDP socket made in a network namespace, for `socket.bind({ fd })` of node:dgram. */
export async function datagramInNamespace(
  netnsPath: NetnsPath,
  options: { address: string; port: number },
): Promise<number> {
  return native.socketTake(await native.socketDatagram(netnsPath, options.address, options.port));
}

/**
 * A copy of a descriptor of another process, which keeps its own (pidfd_getfd(2), Linux 5.6): to put a socket of
 * another process into a map, say. The caller closes it. EBADF when there is none of that number, ESRCH without the
 * process, EPERM without the right to trace it.
 */
export function descriptorOf(processId: number, fd: number): number {
  return native.descriptorOf(processId, fd);
}

/** False when the time is over first. */
async function writable(socket: NativeHandle, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const wait = native.waitWritable(socket, () => {
    resolve(true);
  });
  const timer = setTimeout(() => {
    resolve(false);
  }, timeoutMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    native.close(wait);
  }
}

/**
 * The number by which eBPF programs know a network namespace (`bpf_get_netns_cookie`), of this process or of another one;
 * Linux 5.14.
 */
export function networkCookie(netnsPath?: NetnsPath): bigint {
  return native.networkCookie(netnsPath);
}

/** The number by which eBPF programs know a socket of this process (`bpf_get_socket_cookie`). It is never used twice. */
export function socketCookie(socketFd: number): bigint {
  return native.socketCookie(socketFd);
}

/**
 * Room for what a TCP socket of this process sends, in bytes from 1 to 2^30 - 1, of which the kernel keeps twice as much. A process
 * without CAP_NET_ADMIN gets no more than net.core.wmem_max. Of that room what is not yet sent may take all, whatever
 * net.ipv4.tcp_notsent_lowat is in the socket's network.
 */
export function setSendBuffer(socketFd: number, bytes: number): void {
  native.setSendBuffer(socketFd, bytes);
}
