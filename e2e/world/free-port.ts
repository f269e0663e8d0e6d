import { createServer } from "node:net";

/**
 * Below the ports that the kernel gives to callers (ip_local_port_range begins at 32768 by default): one of those could be
 * taken by anybody's connection before the program that is to listen on it has started.
 */
const range = { first: 16_384, count: 16_000 };
const attempts = 100;

/**
 * A TCP port of 127.0.0.1 that nobody listens on, drawn at random, so that programs which ask at the same time get
 * different ones.
 * @param wanted 0 for any
 * @throws Error if the wanted one is taken.
 */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0) {
    if (await isFree(wanted)) return wanted;
    throw new Error(`port ${wanted} of 127.0.0.1 is taken by another program; choose another one`);
  }
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = range.first + Math.floor(Math.random() * range.count);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${attempts} ports of 127.0.0.1 from ${range.first} on is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
