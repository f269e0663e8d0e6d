import { once } from "node:events";
import type { Server } from "node:net";
import { formatHostPort, type ListenAddress } from "../listen-address.ts";

/** Listens on one address. @returns the port */
export type Listen = (address: ListenAddress) => Promise<number>;

/**
 * Listens on an address; where all of the machine's are meant and it has none of IPv6, on all of IPv4.
 * @throws Error naming the address and why
 */
export async function listenOn(address: ListenAddress, listen: Listen): Promise<number> {
  try {
    return await listen(address);
  } catch (error) {
    const { message } = error as Error;
    if (address.host === "::" && /EAFNOSUPPORT|EADDRNOTAVAIL/.test(message)) {
      return listenOn({ ...address, host: "0.0.0.0" }, listen);
    }
    throw new Error(`cannot listen on ${formatHostPort(address)}: ${reasonOf(message)}`, { cause: error });
  }
}

/** Node and gRPC wrap the system's words in words of their own: "listen EADDRINUSE: address already in use ::1:80". */
function reasonOf(message: string): string {
  const [, code, words] = /\b(E[A-Z]+): ([a-z ,-]*[a-z])/.exec(message) ?? [];
  return code === undefined || words === undefined ? message : `${words} (${code})`;
}

/** @returns how a server of Node's listens */
export function plainListen(server: Server): Listen {
  return async (address) => {
    server.listen(address);
    await once(server, "listening");
    const bound = server.address();
    return typeof bound === "object" && bound !== null ? bound.port : address.port;
  };
}
