import { expect, test } from "vitest";
import { rulesInOrder } from "../server/type-rules.ts";
import { RawDeltaServer } from "../testing/raw-delta-server.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestClient } from "../testing/test-client.ts";
import { TestServer } from "../testing/test-server.ts";
import { versions } from "../testing/type-status.ts";
import { Backoff } from "./backoff.ts";
import type { ClientState } from "./delta-xds-client.ts";

const type = "type.test/Thing";
const typeUrls = [type];
const things = (version: number, ...names: string[]) =>
  snapshot(version, { [type]: names.map((name) => resource(name)) });

class CountingBackoff extends Backoff {
  readonly waits: number[] = [];
  resets = 0;

  override next(): number {
    const wait = super.next();
    this.waits.push(wait);
    return wait;
  }

  override reset(): void {
    this.resets += 1;
    super.reset();
  }
}

test("a client whose server is gone keeps trying with growing waits, and resumes on the next one", async () => {
  const first = await TestServer.start();
  first.xds.setSnapshot(things(1, "a", "b", "c"));
  const backoff = new CountingBackoff(1, 64, () => 0);
  await using client = TestClient.started({ address: first.address, typeUrls, backoff });
  await expect.poll(() => client.updates.length).toBe(1);
  first[Symbol.dispose]();
  await expect.poll(() => backoff.waits.length).toBeGreaterThanOrEqual(8);
  expect(backoff.waits.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 64, 64]);
  expect(client.states.slice(0, 2)).toMatchObject([{ connected: true }, { connected: false }]);
  for (const { error } of client.states.slice(2)) expect(error).toContain("14 UNAVAILABLE");

  using second = await TestServer.start({}, { port: first.port });
  second.xds.setSnapshot(snapshot(2, { [type]: [resource("a"), resource("b", "new")] }));
  await expect.poll(() => client.updates.length).toBe(3);
  expect(client.updates[1]).toMatchObject({ systemVersion: "2", added: [{ name: "b" }], removed: [] });
  expect(client.updates[2]).toMatchObject({ systemVersion: "2", added: [], removed: ["c"] });
  expect(client.states.at(-1)).toEqual({ connected: true });
  expect(backoff.resets).toBe(3);
});

test("a client that finds no server says why, and follows when there is one", async () => {
  const placeholder = await TestServer.start();
  placeholder[Symbol.dispose]();
  await using client = TestClient.started({ address: placeholder.address, typeUrls });
  await expect.poll(() => client.states.length).toBeGreaterThan(2);
  for (const { connected, error } of client.states) {
    expect(connected).toBe(false);
    expect(error).toContain("ECONNREFUSED");
  }
  using server = await TestServer.start({}, { port: placeholder.port });
  server.xds.setSnapshot(things(1, "a"));
  await expect.poll(() => client.states.at(-1)).toEqual({ connected: true });
});

test("a server that goes away in order is left, and found again", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(things(1, "a"));
  await using client = TestClient.started({ address: server.address, typeUrls });
  await expect.poll(() => client.updates.length).toBe(1);
  server.xds.close();
  await expect
    .poll(() => client.states.slice(1))
    .toContainEqual({ connected: false, error: "14 UNAVAILABLE: the control plane is going away" });
  expect([...client.heldOf(type).keys()]).toEqual(["a"]);
});

test("a stream that ends well is opened again, too", async () => {
  using server = await RawDeltaServer.start();
  await using client = TestClient.started({ address: server.address, typeUrls });
  await expect.poll(() => server.requests.length).toBe(1);
  server.end();
  await expect.poll(() => server.streams).toBe(2);
  expect(client.states).toEqual([{ connected: false, error: "the server ended the stream" }]);
});

test("a response that cannot be read ends the stream with an error, and the client comes again", async () => {
  using server = await RawDeltaServer.start();
  await using client = TestClient.started({ address: server.address, typeUrls });
  await expect.poll(() => server.requests.length).toBe(1);
  server.sendBytes(Buffer.from("garbage"));
  await expect.poll(() => server.streams).toBe(2);
  expect(client.states).toMatchObject([{ connected: false }]);
  expect(client.states[0]?.error).toContain("13 INTERNAL");
  expect(client.updates).toEqual([]);
});

test("no stream is opened while it cannot be told what is held, and that is tried again", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(things(1, "a"));
  let failures = 0;
  await using client = TestClient.started({
    address: server.address,
    typeUrls: [type, "type.test/Other"],
    initialResourceVersions: (typeUrl) => {
      if (typeUrl === type || failures === 2) return {};
      failures += 1;
      throw new Error("the store is closed");
    },
  });
  await expect.poll(() => client.states.at(-1)).toEqual({ connected: true });
  expect(client.states.filter(({ error }) => error === "the store is closed")).toHaveLength(2);
  expect(server.eventsOf("connected")).toHaveLength(1);
});

test("a stream whose state cannot be told is left", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(things(1, "a"));
  const states: ClientState[] = [];
  await using client = TestClient.started({
    address: server.address,
    typeUrls,
    onState: (state) => {
      states.push(state);
      if (states.length === 1) throw new Error("no log can be written");
    },
  });
  await expect.poll(() => client.updates.length).toBe(1);
  expect(states).toEqual([
    { connected: true },
    { connected: false, error: "no log can be written" },
    { connected: true },
  ]);
  await expect.poll(() => server.xds.nodes().length).toBe(1);
});

test("an update that was under way when the stream was lost is finished, and told to the next stream", async () => {
  const first = await TestServer.start();
  first.xds.setSnapshot(things(1, "a"));
  await using client = new TestClient({ address: first.address, typeUrls });
  const { finish, calls } = client.startSlow();
  await expect.poll(calls).toBe(1);
  first[Symbol.dispose]();
  using second = await TestServer.start({}, { port: first.port });
  second.xds.setSnapshot(things(2, "a", "b"));
  finish.resolve();
  await expect.poll(() => second.eventsOf("ack")).toHaveLength(1);
  expect(client.updates.map(({ added }) => added.map(({ name }) => name))).toEqual([["a"], ["b"]]);
});

test("a rejected update is asked for again on a new stream, without a word of being disconnected", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(things(1, "a", "b"));
  await using client = new TestClient({ address: server.address, typeUrls, retryRejectedMs: 20 });
  let failures = 0;
  client.onUpdate = () => {
    if (failures === 3) return;
    failures += 1;
    throw new Error(`no memory, ${failures}`);
  };
  client.client.start();
  await expect.poll(() => client.heldOf(type).size).toBe(2);
  await expect.poll(() => server.xds.nodes()[0]?.types[type]).toEqual(versions("1", "1"));
  expect(server.eventsOf("nack").map(({ message }) => message)).toEqual([
    "no memory, 1",
    "no memory, 2",
    "no memory, 3",
  ]);
  expect(server.eventsOf("connected")).toHaveLength(4);
  expect(client.states.every(({ connected }) => connected)).toBe(true);
});

test("what was taken beside a rejected update is not sent again when that is retried", async () => {
  const types = [type, "type.test/Other"];
  using server = await TestServer.start({ types: rulesInOrder(types) });
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")], "type.test/Other": [resource("o")] }));
  await using client = new TestClient({ address: server.address, typeUrls: types, retryRejectedMs: 20 });
  let failed = false;
  client.onUpdate = ({ typeUrl }) => {
    if (failed || typeUrl === type) return;
    failed = true;
    throw new Error("not now");
  };
  client.client.start();
  await expect.poll(() => client.heldOf("type.test/Other").size).toBe(1);
  const heard = client.updates.map(({ typeUrl, added }) => [typeUrl, ...added.map(({ name }) => name)]);
  expect(heard).toEqual([[type, "a"], [type], ["type.test/Other", "o"]]);
});

test("a rejected removal is asked for again, too", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(things(1, "a", "b"));
  await using client = new TestClient({ address: server.address, typeUrls, retryRejectedMs: 20 });
  let failed = false;
  client.onUpdate = ({ removed }) => {
    if (failed || removed.length === 0) return;
    failed = true;
    throw new Error("in use");
  };
  client.client.start();
  await expect.poll(() => client.heldOf(type).size).toBe(2);
  server.xds.setSnapshot(things(2, "a"));
  await expect.poll(() => [...client.heldOf(type).keys()]).toEqual(["a"]);
  expect(failed).toBe(true);
});
