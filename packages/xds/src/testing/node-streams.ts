import { RawDeltaClient, type RawDeltaStream } from "./raw-delta-stream.ts";
import type { TestServer } from "./test-server.ts";

/** The fields of a first request that say who asks. */
export const node = (name: string) => ({ id: `test~${name}`, metadata: { NODE_NAME: name } });

/** A client on a connection of its own, with one stream open. */
export function connect(server: TestServer): Disposable & { client: RawDeltaClient; stream: RawDeltaStream } {
  const client = new RawDeltaClient(server.address);
  return { client, stream: client.open(), [Symbol.dispose]: () => client[Symbol.dispose]() };
}
