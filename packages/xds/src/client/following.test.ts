import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { rulesInOrder } from "../server/type-rules.ts";
import { RawDeltaServer } from "../testing/raw-delta-server.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestClient } from "../testing/test-client.ts";
import { TestServer } from "../testing/test-server.ts";
import { versions } from "../testing/type-status.ts";
import type { DeltaUpdate } from "./updates.ts";

const [targets, references] = ["type.test/Target", "type.test/Reference"] as const;
const typeUrls = [targets, references];
const nodeStatus = (server: TestServer, type: string) => server.xds.nodes()[0]?.types[type];

test("all types are followed from the start, and updates say what came and what went", async () => {
  using server = await TestServer.start({ types: rulesInOrder(typeUrls) });
  server.xds.setSnapshot(snapshot(3, { [targets]: [resource("t", "body")], [references]: [resource("r")] }));
  await using client = TestClient.started({ address: server.address, typeUrls });
  await expect.poll(() => nodeStatus(server, references)?.ackedVersion).toBe("3");
  server.xds.setSnapshot(snapshot(4, { [targets]: [resource("u")], [references]: [resource("r")] }));
  await expect.poll(() => client.updates.length).toBe(4);
  const { version } = resource("t", "body");
  expect(client.updates).toEqual([
    {
      typeUrl: targets,
      systemVersion: "3",
      added: [{ name: "t", version, body: new Uint8Array(Buffer.from("body")) }],
      removed: [],
    },
    { typeUrl: references, systemVersion: "3", added: [expect.objectContaining({ name: "r" })], removed: [] },
    { typeUrl: targets, systemVersion: "4", added: [expect.objectContaining({ name: "u" })], removed: [] },
    { typeUrl: targets, systemVersion: "4", added: [], removed: ["t"] },
  ]);
  // Not a view of the whole response, which would stay in memory with it.
  expect(client.updates[0]?.added[0]?.body.buffer.byteLength).toBe(4);
  expect(client.states).toEqual([{ connected: true }]);
});

test("the node says who it is, once, and what it holds, type by type", async () => {
  using server = await RawDeltaServer.start();
  const held = new Map([[references, new Map([["r", "7"]])]]);
  await using client = new TestClient({ address: server.address, typeUrls }, held);
  client.client.start();
  await expect.poll(() => server.requests.length).toBe(2);
  expect(server.requests).toMatchObject([
    {
      node: { id: "test~n1", metadata: { NODE_NAME: "n1" } },
      typeUrl: targets,
      resourceNamesSubscribe: ["*"],
      initialResourceVersions: {},
      responseNonce: "",
    },
    { typeUrl: references, resourceNamesSubscribe: ["*"], initialResourceVersions: { r: "7" } },
  ]);
  expect(server.requests[1]?.node).toBeUndefined();
});

test("an ack is sent when the update is held, not before", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [targets]: [resource("t")] }));
  const held = Promise.withResolvers<void>();
  await using client = new TestClient({ address: server.address, typeUrls: [targets] });
  let started = false;
  client.onUpdate = () => {
    started = true;
    return held.promise;
  };
  client.client.start();
  await expect.poll(() => started).toBe(true);
  expect(nodeStatus(server, targets)).toMatchObject({ sentVersion: "1", ackedVersion: "" });
  held.resolve();
  await expect.poll(() => nodeStatus(server, targets)?.ackedVersion).toBe("1");
});

test("updates are handled one after the other, though several responses arrive at once", async () => {
  using server = await RawDeltaServer.start();
  await using client = new TestClient({ address: server.address, typeUrls });
  let running = 0;
  let most = 0;
  client.onUpdate = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
  };
  client.client.start();
  await expect.poll(() => server.requests.length).toBe(2);
  const nonces = Array.from({ length: 20 }, (_, index) => `${index}`);
  for (const nonce of nonces) server.send({ typeUrl: targets, nonce, systemVersionInfo: nonce });
  await expect.poll(() => server.requests.length).toBe(22);
  expect(server.requests.slice(2).map(({ responseNonce }) => responseNonce)).toEqual(nonces);
  expect(client.updates.map(({ systemVersion }) => systemVersion)).toEqual(nonces);
  expect(most).toBe(1);
});

const emoji = "😀";
test.for([
  ["an error", () => Promise.reject(new Error("map is full")), "map is full"],
  ["an error without a text", () => Promise.reject(new Error("")), "rejected without a reason"],
  ["something that is no error", () => Promise.reject("just text"), "just text"],
  [
    "an error that is thrown at once",
    () => {
      throw new Error("at once");
    },
    "at once",
  ],
  ["a long error, which is cut", () => Promise.reject(new Error("x".repeat(9_000))), "x".repeat(4_096)],
  [
    "a long error, which is cut inside a character",
    () => Promise.reject(new Error(`x${emoji.repeat(3_000)}`)),
    `x${emoji.repeat(2_047)}\ufffd`,
  ],
] as const)("an update is rejected with %s", async ([, reject, message]) => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [targets]: [resource("t")] }));
  const updates: DeltaUpdate[] = [];
  await using client = TestClient.started({
    address: server.address,
    typeUrls: [targets],
    onUpdate: (update) => {
      updates.push(update);
      return reject();
    },
  });
  await expect.poll(() => server.eventsOf("nack")).toMatchObject([{ node: "n1", version: "1", message }]);
  expect(nodeStatus(server, targets)).toMatchObject({
    ackedVersion: "",
    rejection: { version: "1", message },
  });
  expect(updates).toHaveLength(1);
  expect(client.states).toEqual([{ connected: true }]);
});

test("after a rejection the next version is taken", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [targets]: [resource("t", "bad")] }));
  await using client = new TestClient({ address: server.address, typeUrls: [targets] });
  client.onUpdate = ({ systemVersion }) => {
    if (systemVersion === "1") throw new Error("bad");
  };
  client.client.start();
  await expect.poll(() => server.eventsOf("nack")).toHaveLength(1);
  server.xds.setSnapshot(snapshot(2, { [targets]: [resource("t", "good")] }));
  await expect.poll(() => nodeStatus(server, targets)).toEqual(versions("2", "2"));
  expect([...client.heldOf(targets)]).toEqual([["t", resource("t", "good").version]]);
});

const any = (typeUrl: string) => ({ typeUrl, value: new Uint8Array() });
test.for([
  [
    "holds a name twice",
    [
      { name: "t", resource: any(targets) },
      { name: "t", resource: any(targets) },
    ],
    'the response holds "t" more than once',
  ],
  ["holds a name without a resource", [{ name: "t", version: "1" }], '"t" comes without its resource'],
  [
    "holds a resource of another type",
    [{ name: "r", resource: any(references) }],
    `"r" is a ${references} in a response of type ${targets}`,
  ],
] as const)("a response that %s is rejected unseen", async ([, resources, message]) => {
  using server = await RawDeltaServer.start();
  await using client = TestClient.started({ address: server.address, typeUrls: [targets] });
  await expect.poll(() => server.requests.length).toBe(1);
  server.send({ typeUrl: targets, nonce: "n", resources: [...resources] });
  await expect.poll(() => server.requests.length).toBe(2);
  expect(server.requests[1]).toMatchObject({
    responseNonce: "n",
    errorDetail: { code: status.INVALID_ARGUMENT, message },
  });
  expect(client.updates).toEqual([]);
});
