import { expect, test } from "vitest";
import { RawDeltaServer } from "../testing/raw-delta-server.ts";
import { TestClient } from "../testing/test-client.ts";

const type = "type.test/Thing";
const mebibyte = 1024 * 1024;
const good = {
  typeUrl: type,
  nonce: "1",
  systemVersionInfo: "1",
  resources: [{ name: "a", version: "1", resource: { typeUrl: type, value: new Uint8Array() } }],
};

/** A client that has taken one update. */
async function following() {
  const server = await RawDeltaServer.start();
  const client = TestClient.started({ address: server.address, typeUrls: [type] });
  await expect.poll(() => server.streams).toBe(1);
  server.send(good);
  await expect.poll(() => client.updates.length).toBe(1);
  return {
    server,
    client,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      server[Symbol.dispose]();
    },
  };
}

test.for<[string, () => Uint8Array, RegExp]>([
  [
    "bytes that are no response",
    () => Buffer.from("\xff garbage", "latin1"),
    /^13 INTERNAL: .*parsing error/,
  ],
  ["a response that is cut off", () => Uint8Array.of(0x12, 0x7f, 0x0a), /^13 INTERNAL: .*parsing error/],
  ["a response of 65 MiB", () => new Uint8Array(65 * mebibyte), /^8 RESOURCE_EXHAUSTED: .*larger than max/],
])("after %s the client says why, keeps what it holds, and asks again", async ([, bytes, reason]) => {
  await using world = await following();
  const { server, client } = world;
  server.sendBytes(bytes());
  await expect.poll(() => server.streams).toBe(2);
  expect(client.states.find(({ connected }) => !connected)?.error).toMatch(reason);
  expect([...client.heldOf(type)]).toEqual([["a", "1"]]);
  await expect.poll(() => server.requests.at(-1)?.initialResourceVersions).toEqual({ a: "1" });
  server.send({ ...good, nonce: "2", systemVersionInfo: "2" });
  await expect.poll(() => client.updates.length).toBe(2);
});

test("each stream that breaks is told, and what is held stays", async () => {
  await using world = await following();
  const { server, client } = world;
  for (let count = 1; count < 5; count += 1) {
    server.sendBytes(Buffer.from("garbage"));
    await expect.poll(() => server.streams).toBe(count + 1);
  }
  expect(client.states.filter(({ connected }) => !connected)).toHaveLength(4);
  expect(client.updates).toHaveLength(1);
});
