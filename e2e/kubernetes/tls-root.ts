import { connect, type TLSSocket } from "node:tls";
import { until } from "../world/until.ts";

/** Whether a server's certificate for a name comes from a root, by a handshake with it. */
export function isServedUnder(root: string, port: number, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: "127.0.0.1",
      port,
      servername: name,
      ca: root,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.authorized);
      socket.destroy();
    });
  });
}

/** Waits until it does. */
export const untilServedUnder = (root: string, port: number, name: string): Promise<boolean> =>
  until(() => isServedUnder(root, port, name), { what: `port ${port} to serve under the root` });
