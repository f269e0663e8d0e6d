import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { until } from "../../world/until.ts";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, places } from "../bench.ts";
import { flag, int, level, option, type Socket } from "../sockets.ts";
import { action, setRule } from "./letters.ts";

const mebi = 1 << 20;
const piece = 65_536;
const readerBuffer = 16_384;
/** What the bounded program may leave unread in a reader's queue. */
const most = 65_536;
/** What two sockets of a connection may hold by TCP's own rules, with room to spare. */
const tcpHolds = 8 * mebi;
const now = flag.dontWait | flag.noSignal;

/** struct bound of programs/bounded.bpf.c. */
type Bound = { target: bigint; most: number; queued: number; taken: number; passed: number };

/** A reader that reads nothing, and how much it was given. */
interface Load {
  readonly sender: Socket;
  readonly reader: Socket;
  readonly sent: number;
  readonly endedBy: string;
}

/** Bytes that lie in a socket's receive queues by its own account: sk_rmem_alloc of SO_MEMINFO. */
async function receiveMemory(socket: Socket): Promise<number> {
  const memoryInfo = 55;
  const { filled } = await socket.getOption(level.socket, memoryInfo, 36);
  return filled[0]?.readUInt32LE(0) ?? 0;
}

/** Reads so many bytes, of which the last are still on their way. */
async function readAll(reader: Socket, total: number): Promise<void> {
  let read = 0;
  const isDone = async (): Promise<boolean> => {
    read += await reader.discard();
    return read >= total;
  };
  await until(isDone, { what: "all that was sent to be readable" });
  assert.equal(read, total);
}

/** Memory of the node in MiB that nobody could take back: unreclaimable slab, and what is available. */
function nodeMemory(): { slab: number; available: number; tcp: number } {
  const info = readFileSync("/proc/meminfo", "utf8");
  const mebibytes = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(info)?.[1] ?? 0) / 1024);
  const sockets = readFileSync("/proc/net/sockstat", "utf8");
  const pages = Number(/^TCP: .*mem (\d+)/m.exec(sockets)?.[1] ?? 0);
  return {
    slab: mebibytes("SUnreclaim"),
    available: mebibytes("MemAvailable"),
    tcp: Math.round(pages / 256),
  };
}

/** Lets senders send in turn, each to a reader that reads nothing, and tells what the node's memory did. */
async function load(
  tell: (figure: string) => void,
  name: string,
  sender: Socket,
  reader: Socket,
  [total, size]: readonly [number, number],
): Promise<Load> {
  const before = nodeMemory();
  const { sent, error } = await sender.fill(total, size, now);
  const after = nodeMemory();
  tell(
    `${name}: ${sent} bytes taken${error === "" ? "" : `, then ${error}`}; the reader's account ${await receiveMemory(reader)}; ` +
      `slab ${after.slab - before.slab}, available ${after.available - before.available}, TCP ${after.tcp - before.tcp} MiB`,
  );
  return { sender, reader, sent, endedBy: error };
}

/** Requests and answers of one node: from a caller's send into its peer's queue. */
async function sameNode(tell: (figure: string) => void, total: number, writes: number): Promise<Observed> {
  await using bench = await Bench.open("bounded");
  const home = await bench.listen({
    active: places.speaks,
    passive: places.only,
    receiveBuffer: readerBuffer,
  });
  const bounds = bench.map<{ local: number; remote: number }, Bound>("bounds");
  const connect = async (bound: number): Promise<Connection & { state: () => Bound }> => {
    const connection = await bench.connect(home);
    const ends = { local: await connection.active.port(), remote: home.port };
    const target = await connection.passive.cookie();
    bounds.set(ends, { target, most: bound, queued: 0, taken: 0, passed: 0 });
    const state = (): Bound => {
      const found = bounds.get(ends);
      assert.ok(found !== undefined);
      return found;
    };
    return { ...connection, state };
  };
  const observed: Observed = {};
  const free = await connect(0);
  const unbounded = await load(tell, "no bound", free.active, free.passive, [total, piece]);
  observed["sk_msg into a queue: takes all that is sent"] = unbounded.sent === total;
  observed["sk_msg into a queue: the reader's account counts it"] =
    (await receiveMemory(free.passive)) >= unbounded.sent;
  await readAll(free.passive, unbounded.sent);
  const small = await connect(0);
  const single = await load(tell, `${writes} one-byte writes, no bound`, small.active, small.passive, [
    writes,
    1,
  ]);
  observed["one-byte writes: takes all"] = single.sent === writes;
  observed["one-byte writes: the reader's account counts a byte for each"] =
    (await receiveMemory(small.passive)) === writes;
  await readAll(small.passive, writes);
  // What the design stands on.
  for (const [name, size, asked] of [
    ["bounded", piece / 4, total],
    ["bounded, one-byte writes", 1, writes],
  ] as const) {
    const kept = await connect(most);
    const { sent } = await load(tell, name, kept.active, kept.passive, [asked, size]);
    const { queued, taken, passed } = kept.state();
    assert.ok(
      queued <= most && taken > 0,
      `${name}: ${taken} messages of ${queued} bytes, ${most} are the most`,
    );
    assert.ok(passed > 0, `${name}: nothing went by TCP`);
    assert.ok(sent < most + tcpHolds, `${name}: ${sent} bytes were taken`);
    await readAll(kept.passive, sent);
  }
  observed["bounded by what lies unread: the rest goes by TCP, which holds back"] = true;
  return observed;
}

/** Answers that come over the wire, by sk_skb. */
async function overTheWire(tell: (figure: string) => void, total: number): Promise<Observed> {
  await using bench = await Bench.open("letters");
  const homes = await bench.listen({ active: places.only, passive: places.only });
  const links = await bench.listen({ active: places.hears });
  const observed: Observed = {};
  for (const [name, then] of [
    ["into a queue", action.ingress],
    ["out of another socket", action.egress],
    ["SK_PASS", action.pass],
  ] as const) {
    const { active: reader, passive: relay } = await bench.connect(homes, {
      prepare: (socket) => socket.setOption(level.socket, option.receiveBuffer, int(readerBuffer)),
    });
    const link = await bench.connect(links, {
      prepare: (socket) => socket.setOption(level.socket, option.receiveBuffer, int(piece)),
    });
    await setRule(bench, link, then, then === action.egress ? relay : reader);
    const unread = then === action.pass ? link.active : reader;
    // Without waiting: whatever TCP can hold is taken, then it refuses.
    const { sent } = await load(tell, `sk_skb ${name}`, link.passive, unread, [total, piece]);
    const pushed = await pushOn(link.passive, sent, total);
    observed[`sk_skb ${name}: holds the sender back`] = pushed < total;
    if (then !== action.pass)
      observed[`sk_skb ${name}: the reader's account counts what it was given`] =
        (await receiveMemory(unread)) >= pushed / 2;
    for (const socket of [reader, relay, link.active, link.passive]) await socket.close();
  }
  return observed;
}

/** Sends on, with a limit of a second for each wait, until it is all sent or nothing moves. */
async function pushOn(sender: Socket, sent: number, total: number): Promise<number> {
  await sender.setOption(level.socket, option.sendTimeout, Buffer.from(BigInt64Array.of(1n, 0n).buffer));
  const rest = sent < total ? await sender.fill(total - sent, piece) : { sent: 0 };
  return sent + rest.sent;
}

export const slowReader: Behaviour = {
  name: "slow reader",
  claim:
    "A redirect knows no back pressure: a reader that reads nothing is given all that is sent, beyond its buffer's size, and " +
    "small writes cost a thousand times what is accounted. A program that counts what lies unread holds the sender back.",
  async observe(size, tell): Promise<Observed> {
    const [total, writes] = size === "short" ? [16 * mebi, 5_000] : [64 * mebi, 300_000];
    return { ...(await sameNode(tell, total, writes)), ...(await overTheWire(tell, total)) };
  },
};
