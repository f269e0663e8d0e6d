import { createServer, type ListenOptions, type Server } from "node:net";

/**
 * Below the ports that the kernel gives to callers (ip_local_port_range begins at 32768 by default): one of those could be
 * taken by anybody's connection before the program that is to listen on it has started.
 */
const range = { first: 16_384, count: 16_000 };
const attempts = 100;

/**
 * A TCP port of 127.0.0.1 that nobody listens on, drawn at random. It is the calling process's as long as that lives: no
 * other who asks here gets it, also while the program that it is for is away.
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
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
  throw new Error(`none of ${attempts} ports of 127.0.0.1 from ${range.first} on is free`);
}

/** An abstract Unix socket is of one network namespace, as a port is, and gone with its process, however that ends. */
async function reserve(port: number): Promise<boolean> {
  const server = await listen({ path: `\0keelson-test-port-${port}` });
  server?.unref();
  return server !== undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen({ port, host: "127.0.0.1" });
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** @returns undefined if another listens there */
function listen(where: ListenOptions): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(where, () => resolve(server));
  });
}
