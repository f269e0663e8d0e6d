import assert from "node:assert/strict";
import { type Bench, type Connection, type Listener, places } from "../bench.ts";
import { type Pending, room } from "../calls.ts";
import { level, option, receivedBy, type Socket } from "../sockets.ts";
import { action, setRule } from "./letters.ts";

/** How long a reader waits before it gives up, and how long we wait to believe that nothing comes. */
export const patienceMs = 300;

/** A reader, its peer on the same connection, and a way to hand it data. */
interface Reading {
  readonly reader: Socket;
  readonly peer: Socket;
  /** Sends so that the reader gets it in this world's way. */
  readonly give: (data: string) => Promise<void>;
}

/** Readers whose data comes by TCP, in no map, or by a redirect into their queue. */
export interface World {
  readonly bench: Bench;
  readonly way: "tcp" | "redirected";
  readonly open: () => Promise<Reading>;
}

export const receive = (reader: Socket, size: number, flags = 0): Pending =>
  reader.calls.begin(["recvfrom", reader.fd, room(size), size, flags, 0, 0]);

export async function textOf(receiving: Pending): Promise<string> {
  const [outcome] = await receiving.outcomes;
  assert.ok(outcome !== undefined);
  return receivedBy(outcome);
}

/** struct timeval: SO_RCVTIMEO. */
export const setTimeLimit = (reader: Socket): Promise<unknown> =>
  reader.setOption(
    level.socket,
    option.receiveTimeout,
    Buffer.from(BigInt64Array.of(0n, BigInt(patienceMs) * 1000n).buffer),
  );

export const information = async (socket: Socket): Promise<Buffer> =>
  (await socket.getOption(level.tcp, option.tcpInfo, 160)).filled[0] ?? Buffer.alloc(160);

export async function receiveAll(reader: Socket, total: number): Promise<string> {
  let text = "";
  while (text.length < total) text += await reader.receive(total - text.length);
  return text;
}

/** Connections of which nothing is in a map. */
export async function plainWorld(bench: Bench): Promise<World> {
  const listener = await bench.listen();
  const open = async (): Promise<Reading> => {
    const { active, passive } = await bench.connect(listener);
    const give = async (data: string): Promise<void> => assert.equal(await passive.send(data), data.length);
    return { reader: active, peer: passive, give };
  };
  return { bench, way: "tcp", open };
}

/** Readers get what another connection's caller sends, straight into their queue. */
export async function redirectedWorld(bench: Bench): Promise<World> {
  const readers = await bench.listen({ active: places.only });
  const speakers = await bench.listen({ active: places.speaks });
  const open = async (): Promise<Reading> => {
    const { active, passive } = await bench.connect(readers);
    const give = await redirectTo(bench, active, speakers);
    return { reader: active, peer: passive, give };
  };
  return { bench, way: "redirected", open };
}

/** @returns a function that sends on a connection of its own, and is redirected into this reader's queue. */
export async function redirectTo(bench: Bench, reader: Socket, speakers: Listener): Promise<Reading["give"]> {
  const speaker: Connection = await bench.connect(speakers);
  await setRule(bench, speaker, action.ingress, reader);
  return async (data) => assert.equal(await speaker.active.send(data), data.length);
}
