import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { descriptorOf } from "bpf-maps-native";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, type Listener, places } from "../bench.ts";
import { bytes, type Pending, room } from "../calls.ts";
import { flag, int, ioctl, level, option, poll, receivedBy, resultOf, type Socket } from "../sockets.ts";
import { action, setRule } from "./letters.ts";

/** How long a reader waits before it gives up, and how long we wait to believe that nothing comes. */
const patienceMs = 300;

/** A reader, its peer on the same connection, and a way to hand it data. */
interface Reading {
  readonly reader: Socket;
  readonly peer: Socket;
  /** Sends so that the reader gets it in this world's way. */
  readonly give: (data: string) => Promise<void>;
}

/** Readers whose data comes by TCP, in no map, or by a redirect into their queue. */
interface World {
  readonly bench: Bench;
  readonly way: "tcp" | "redirected";
  readonly open: () => Promise<Reading>;
}

type Look = (world: World) => Promise<string | number | boolean>;

/** The rows of the table: each looks at one call in a world. */
const looks: Readonly<Record<string, Look>> = {
  "poll: data lies there": async (world) => {
    const { reader, give } = await world.open();
    await give("data");
    return (await reader.poll(poll.in, 5_000)) === poll.in ? "readable" : "not readable";
  },
  "epoll: wakes up": async (world) => {
    const { reader, give } = await world.open();
    const { calls } = reader;
    const epoll = (await calls.must("epoll_create1", 0)).result;
    const event = Buffer.alloc(12);
    event.writeUInt32LE(poll.in);
    await calls.must("epoll_ctl", epoll, 1, reader.fd, bytes(event));
    const waiting = calls.begin(["epoll_pwait", epoll, room(12), 1, 5_000, 0, 8]);
    assert.ok(await waiting.sleeps());
    await give("data");
    return (await waiting.outcomes)[0]?.result === 1;
  },
  "recv that sleeps": async (world) => {
    const { reader, give } = await world.open();
    const receiving = receive(reader, 8);
    assert.ok(await receiving.sleeps());
    await give("data");
    return await textOf(receiving);
  },
  "recv with MSG_WAITALL, half of it there": async (world) => {
    const { reader, give } = await world.open();
    await give("half");
    await reader.poll(poll.in, 5_000);
    const receiving = receive(reader, 8, flag.waitAll);
    if (!(await receiving.sleeps())) return `returns ${await textOf(receiving)}`;
    await give("rest");
    return `waits, then ${await textOf(receiving)}`;
  },
  "SO_RCVLOWAT of 8, 4 bytes there": async (world) => {
    const { reader, give } = await world.open();
    await reader.setOption(level.socket, option.receiveLowWater, int(8));
    await give("half");
    return (await reader.poll(poll.in, patienceMs)) === poll.in ? "readable" : "not readable";
  },
  "recv + signal with SA_RESTART": async (world) => {
    const { reader, give } = await world.open();
    const receiving = receive(reader, 8);
    assert.ok(await receiving.sleeps());
    await receiving.interrupt();
    const interrupted = await Promise.race([textOf(receiving), stillSleeps(receiving)]);
    if (interrupted !== "sleeps on") return interrupted;
    await give("data");
    return await textOf(receiving);
  },
  "recv + RST, then recv": async (world) => {
    const { reader, peer } = await world.open();
    const receiving = receive(reader, 8);
    assert.ok(await receiving.sleeps());
    await peer.reset();
    const [first, second] = [await textOf(receiving), await reader.receive(8)];
    return `${first || "end"}, ${second || "end"}`;
  },
  "recv + FIN": async (world) => {
    const { reader, peer } = await world.open();
    const receiving = receive(reader, 8);
    assert.ok(await receiving.sleeps());
    await peer.close();
    return (await textOf(receiving)) || "end";
  },
  SO_RCVTIMEO: async (world) => {
    const { reader } = await world.open();
    await setTimeLimit(reader);
    return await reader.receive(8);
  },
  "MSG_PEEK, then recv": async (world) => {
    const { reader, give } = await world.open();
    await give("data");
    await reader.poll(poll.in, 5_000);
    const peeked = await reader.receive(8, flag.peek);
    return `${peeked}, ${await reader.receive(8)}`;
  },
  "MSG_TRUNC with a null buffer": async (world) => {
    const { reader, give } = await world.open();
    await give("data");
    await reader.poll(poll.in, 5_000);
    return resultOf(
      await reader.calls.call("recvfrom", reader.fd, 0, 8, flag.truncate | flag.dontWait, 0, 0),
    );
  },
  "FIONREAD, 4 bytes there": async (world) => {
    const { reader, give } = await world.open();
    await give("data");
    await reader.poll(poll.in, 5_000);
    return await reader.ioctl(ioctl.readable);
  },
  "splice to a pipe, 4 bytes there": async (world) => {
    const { reader, give } = await world.open();
    await give("data");
    await reader.poll(poll.in, 5_000);
    const { filled } = await reader.calls.must("pipe2", room(8), 0);
    const end = filled[0]?.readInt32LE(4) ?? 0;
    // SPLICE_F_NONBLOCK alone does not keep it from sleeping.
    await setTimeLimit(reader);
    return resultOf(await reader.calls.call("splice", reader.fd, 0, end, 0, 8, 0));
  },
  "TCP_INFO: bytes received of 4": async (world) => {
    const { reader, give } = await world.open();
    await give("data");
    await reader.poll(poll.in, 5_000);
    return Number((await information(reader)).readBigUInt64LE(128));
  },
};

/** What needs both ways at once, or a sender that is redirected. */
const mixtures: Readonly<Record<string, Look>> = {
  "old by TCP, then new redirected: read as": async (world) => {
    const { reader, peer, give } = await world.open();
    await peer.send("old ");
    await reader.poll(poll.in, 5_000);
    await give("new ");
    return (await receiveAll(reader, 8)).trim();
  },
  "old by TCP, then new redirected: MSG_PEEK shows": async (world) => {
    const { reader, peer, give } = await world.open();
    await peer.send("old");
    await reader.poll(poll.in, 5_000);
    await give("new");
    return await reader.receive(8, flag.peek);
  },
  "3 bytes by TCP, 4 redirected: FIONREAD": async (world) => {
    const { reader, peer, give } = await world.open();
    await peer.send("old");
    await reader.poll(poll.in, 5_000);
    await give("data");
    return await reader.ioctl(ioctl.readable);
  },
  "recv with MSG_WAITALL sleeps after 4 bytes by TCP, 4 more redirected": async (world) => {
    const { reader, peer, give } = await world.open();
    await setTimeLimit(reader);
    await peer.send("half");
    await reader.poll(poll.in, 5_000);
    const receiving = receive(reader, 8, flag.waitAll);
    assert.ok(await receiving.sleeps());
    await give("rest");
    return await textOf(receiving);
  },
};

const receive = (reader: Socket, size: number, flags = 0): Pending =>
  reader.calls.begin(["recvfrom", reader.fd, room(size), size, flags, 0, 0]);

async function textOf(receiving: Pending): Promise<string> {
  const [outcome] = await receiving.outcomes;
  assert.ok(outcome !== undefined);
  return receivedBy(outcome);
}

/** A call that a signal would end ends at once; one that is restarted is still there after a while. */
const stillSleeps = async (receiving: Pending): Promise<string> =>
  new Promise((resolve) => {
    setTimeout(
      () => void receiving.sleeps().then((sleeps) => resolve(sleeps ? "sleeps on" : "returned")),
      patienceMs,
    );
  });

/** struct timeval: SO_RCVTIMEO. */
const setTimeLimit = (reader: Socket): Promise<unknown> =>
  reader.setOption(
    level.socket,
    option.receiveTimeout,
    Buffer.from(BigInt64Array.of(0n, BigInt(patienceMs) * 1000n).buffer),
  );

const information = async (socket: Socket): Promise<Buffer> =>
  (await socket.getOption(level.tcp, option.tcpInfo, 160)).filled[0] ?? Buffer.alloc(160);

async function receiveAll(reader: Socket, total: number): Promise<string> {
  let text = "";
  while (text.length < total) text += await reader.receive(total - text.length);
  return text;
}

/** Connections of which nothing is in a map. */
async function plainWorld(bench: Bench): Promise<World> {
  const listener = await bench.listen();
  const open = async (): Promise<Reading> => {
    const { active, passive } = await bench.connect(listener);
    const give = async (data: string): Promise<void> => assert.equal(await passive.send(data), data.length);
    return { reader: active, peer: passive, give };
  };
  return { bench, way: "tcp", open };
}

/** Readers get what another connection's caller sends, straight into their queue. */
async function redirectedWorld(bench: Bench): Promise<World> {
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
async function redirectTo(bench: Bench, reader: Socket, speakers: Listener): Promise<Reading["give"]> {
  const speaker: Connection = await bench.connect(speakers);
  await setRule(bench, speaker, action.ingress, reader);
  return async (data) => assert.equal(await speaker.active.send(data), data.length);
}

/** A thread sleeps in recv while its socket enters a map; then data is redirected to it. */
async function blockedBeforeInsertion(bench: Bench): Promise<Observed> {
  const [readers, speakers] = [await bench.listen(), await bench.listen({ active: places.speaks })];
  const { active: reader } = await bench.connect(readers);
  await setTimeLimit(reader);
  const receiving = receive(reader, 8);
  assert.ok(await receiving.sleeps());
  const copy = descriptorOf(bench.calls.pid, reader.fd);
  try {
    using sockets = bench.object.map("sockets");
    const key = new Uint8Array(BigUint64Array.of(await reader.cookie()).buffer);
    sockets.setSocket(key, copy);
  } finally {
    closeSync(copy);
  }
  await (await redirectTo(bench, reader, speakers))("data");
  return {
    "recv that sleeps when its socket enters a map": await textOf(receiving),
    "recv that sleeps when its socket enters a map: the next one": await reader.receive(8),
  };
}

/** A connection ends whose data sk_skb moves into another's queue; the end is a packet without bytes, moved or not. */
async function movedEnd(bench: Bench): Promise<Observed> {
  const links = await bench.listen({ active: places.hears });
  const readers = await bench.listen({ active: places.only });
  const observed: Observed = {};
  for (const [title, then] of [
    ["passed", action.ingress],
    ["redirected", action.ingressWithEnd],
  ] as const) {
    const [link, reader] = [await bench.connect(links), await bench.connect(readers)];
    await setTimeLimit(reader.active);
    await setRule(bench, link, then, reader.active);
    await link.passive.send("data");
    await link.passive.close();
    const received = [await reader.active.receive(8), await reader.active.receive(8)];
    await reader.passive.send("more");
    observed[`sk_skb, the end of a connection is ${title}: the reader of its data`] = received.join(", ");
    observed[`sk_skb, the end of a connection is ${title}: data that comes later`] =
      await reader.active.receive(8);
  }
  return observed;
}

/** What a sender sees whose data is redirected into another's queue. */
async function senders(bench: Bench): Promise<Observed> {
  const speakers = await bench.listen({ active: places.speaks });
  const readers = await bench.listen({ active: places.only });
  const { active: reader } = await bench.connect(readers);
  const speaker = await bench.connect(speakers);
  await setRule(bench, speaker, action.ingress, reader);
  const { active } = speaker;
  const observed: Observed = {};
  await active.setOption(level.socket, option.zeroCopy, int(1));
  observed["MSG_ZEROCOPY send, redirected"] = await active.send("zero", flag.zeroCopy | flag.noSignal);
  const completed = (await active.poll(poll.error, patienceMs)) === poll.error;
  observed["MSG_ZEROCOPY send, redirected: its completion comes"] = completed;
  await active.send("data");
  observed["SIOCOUTQ after redirected sends"] = await active.ioctl(ioctl.unsent);
  const told = await information(active);
  observed["TCP_INFO: segments of data sent after redirected sends"] = told.readUInt32LE(156);
  await active.shutdown("write");
  observed["send after shutdown, redirected"] = await active.send("more");
  observed["what the reader got"] = await receiveAll(reader, 12).catch(String);
  const refused = await bench.connect(speakers);
  await setRule(bench, refused, action.ingress);
  observed["send to a target that is not there"] = await refused.active.send("data");
  await setRule(bench, refused, action.drop);
  observed["send that is dropped"] = await refused.active.send("data");
  return observed;
}

async function table(world: World, rows: Readonly<Record<string, Look>>): Promise<Observed> {
  const observed: Observed = {};
  for (const [name, look] of Object.entries(rows)) observed[`${name}: ${world.way}`] = await look(world);
  return observed;
}

export const readerSemantics: Behaviour = {
  name: "reader semantics",
  claim:
    "A reader can tell redirected data from data that came by TCP: in the order of both, in MSG_WAITALL, SO_RCVLOWAT, " +
    "signals, resets, FIONREAD and splice.",
  async observe(): Promise<Observed> {
    await using bench = await Bench.open("letters");
    const [plain, redirected] = [await plainWorld(bench), await redirectedWorld(bench)];
    const observed = {
      ...(await table(plain, looks)),
      ...(await table(redirected, looks)),
      ...(await table(redirected, mixtures)),
      ...(await blockedBeforeInsertion(bench)),
      ...(await movedEnd(bench)),
      ...(await senders(bench)),
    };
    // What the design stands on: readers that only poll and receive get what was sent.
    for (const way of ["tcp", "redirected"]) {
      assert.equal(observed[`poll: data lies there: ${way}`], "readable");
      assert.equal(observed[`epoll: wakes up: ${way}`], true);
      assert.equal(observed[`recv that sleeps: ${way}`], "data");
      assert.equal(observed[`recv + FIN: ${way}`], "end");
    }
    return observed;
  },
};
