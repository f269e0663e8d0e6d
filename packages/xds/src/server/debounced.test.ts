import { expect, test } from "vitest";
import { AdsPeer } from "../testing/ads-peer.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";

const type = "type.test/Thing";
const things = (version: number, text: string) => snapshot(version, { [type]: [resource("a", text)] });

test("urgent nodes get each change, the others what stands after a pause", async () => {
  using server = await TestServer.start({
    debounce: { quietMs: 60_000, maxMs: 60_000 },
    isUrgent: ({ name }) => name === "urgent",
  });
  server.xds.setSnapshot(things(1, "1"));
  using urgent = new AdsPeer(server.address, "delta", node("urgent"));
  using patient = new AdsPeer(server.address, "delta", node("patient"));
  for (const peer of [urgent, patient]) {
    peer.ask(type);
    // The first snapshot is what there is.
    expect((await peer.take()).texts).toEqual(["1"]);
    await peer.quiet();
  }
  for (const version of [2, 3]) {
    server.xds.setSnapshot(things(version, `${version}`));
    expect(await urgent.take()).toMatchObject({ version: `${version}`, texts: [`${version}`] });
    await patient.quiet();
  }
  // Who comes now gets what all others of its kind have.
  using late = new AdsPeer(server.address, "delta", node("late"));
  late.ask(type);
  expect((await late.take()).texts).toEqual(["1"]);
  server.xds.setSnapshot(things(4, "4"), true);
  for (const peer of [urgent, patient, late]) {
    expect(await peer.take()).toMatchObject({ version: "4", texts: ["4"] });
  }
  server.xds.close();
});

test("a pause comes by itself", async () => {
  using server = await TestServer.start({ debounce: { quietMs: 10, maxMs: 1_000 } });
  server.xds.setSnapshot(things(1, "1"));
  using peer = new AdsPeer(server.address, "sotw", node("n"));
  peer.ask(type);
  await peer.take();
  await peer.quiet();
  for (const version of [2, 3, 4]) server.xds.setSnapshot(things(version, `${version}`));
  expect(await peer.take()).toMatchObject({ version: "4", texts: ["4"] });
  await peer.quiet();
});

test("new streams are opened one after the other, and a crowd is told to come later", async () => {
  using server = await TestServer.start({ limits: { streamsPerSecond: 2 } });
  server.xds.setSnapshot(things(1, "1"));
  const peers = Array.from({ length: 5 }, (_, i) => new AdsPeer(server.address, "delta", node(`n${i}`)));
  for (const peer of peers) peer.ask(type);
  const served = await Promise.all(
    peers.map((peer) =>
      peer
        .take()
        .then(({ texts }) => texts.join())
        .catch((error: Error) => error.message),
    ),
  );
  const refused = "the stream ended: RESOURCE_EXHAUSTED: more than 2 new streams a second";
  // One at once, and one in each half of the second that a stream may wait.
  expect(served.filter((text) => text === refused).length).toBeLessThanOrEqual(2);
  expect(served.filter((text) => text === "1").length).toBeGreaterThanOrEqual(3);
  expect(served.every((text) => text === refused || text === "1")).toBe(true);
  for (const peer of peers) peer[Symbol.dispose]();
});
