import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Connections, type DroppedConnection } from "./connections.ts";

async function serving(limit: number) {
  const dropped: DroppedConnection[] = [];
  const connections = new Connections({ connections: limit }, (each) => dropped.push(each));
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
  return { connections, accepted, dropped, open };
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
