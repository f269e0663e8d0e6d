import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { promisify } from "node:util";

export interface HttpBackend extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/**
 * An HTTP server.
 * @param address of the loopback interface
 * @param answer with its name, if left out
 */
export async function startHttpBackend(
  name: string,
  address: string,
  answer: RequestListener = (_, response) => response.end(name),
): Promise<HttpBackend> {
  const server = createServer(answer);
  server.listen(0, address);
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
