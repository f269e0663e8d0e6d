import { once } from "node:events";
import { createServer } from "node:http";
import { promisify } from "node:util";

export interface HttpBackend extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Answers every request with its name. @param address of the loopback interface */
export async function startHttpBackend(name: string, address: string, port = 0): Promise<HttpBackend> {
  const server = createServer((_, response) => response.end(name));
  server.listen(port, address);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error(`${name} has no port`);
  return {
    name,
    address,
    port: bound.port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    },
  };
}
