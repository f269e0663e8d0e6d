import { createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 that nobody listens on.
 * @param wanted 0 for any
 * @throws Error if the wanted one is taken.
 */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(new Error(`port ${wanted} of 127.0.0.1 is taken by another program; choose another one`));
    });
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;
      server.close(() => (port === undefined ? reject(new Error("the socket has no port")) : resolve(port)));
    });
  });
}
