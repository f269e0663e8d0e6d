import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Connections, type DroppedConnection, type UnaskedConnection } from "./connections.ts";

async function serving(limit: number) {
  const dropped: DroppedConnection[] = [];
  const unasked: UnaskedConnection[] = [];
  const connections = new Connections(
    { connections: limit },
    { onDropped: (each) => dropped.push(each), onUnasked: (each) => unasked.push(each) },
  );
  const accepted: Socket[] = [];
  const server: Server = createServer((socket) => accepted.push(socket.resume()));
  connections.follow(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const opened: Socket[] = [];
  onTestFinished(() => {
    for (const socket of opened) socket.destroy();
    server.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    opened.push(socket);
    const count = accepted.length;
    await once(socket, "connect");
    await expect.poll(() => accepted.length).toBeGreaterThan(count);
    return socket.resume();
  };
  return { connections, accepted, dropped, unasked, port, open };
}

test("one over the limit takes the place of the oldest that has asked for nothing", async () => {
  const { connections, accepted, dropped, open } = await serving(2);
  const asker = await open();
  const silent = await open();
  const peer = `127.0.0.1:${silent.localPort}`;
  for (const socket of accepted.slice(0, 1)) connections.hasAsked(socket);
  const late = await open();
  await once(silent, "close");
  expect(dropped).toEqual([
    {
      peer,
      reason: "2 connections are open, and this one has asked for nothing yet",
    },
  ]);
  expect([asker.closed, late.closed, connections.size]).toEqual([false, false, 2]);
});

test("where all have asked, the newest is closed", async () => {
  const { connections, accepted, dropped, open } = await serving(1);
  const asker = await open();
  for (const socket of accepted) connections.hasAsked(socket);
  const late = await open();
  if (!late.closed) await once(late, "close");
  expect(dropped).toHaveLength(1);
  expect([asker.closed, connections.size]).toEqual([false, 1]);
  asker.destroy();
  await expect.poll(() => connections.size).toBe(0);
});

test("one that sends something, and never a whole request, is told", async () => {
  const { connections, accepted, unasked, port, open } = await serving(10);
  const [asker, broken, probe] = [await open(), await open(), await open()];
  for (const socket of accepted.slice(0, 1)) connections.hasAsked(socket);
  const peer = `127.0.0.1:${broken.localPort}`;
  for (const socket of [asker, broken]) socket.end("GET");
  probe.destroy();
  await expect.poll(() => connections.size).toBe(0);
  expect(unasked).toEqual([{ peer, port, bytes: 3 }]);
});
