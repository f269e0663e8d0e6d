import assert from "node:assert/strict";
import { until } from "../../world/until.ts";
import { Bench, type Connection, places } from "../bench.ts";
import { bytes, type Pending, room } from "../calls.ts";
import { holdInSend } from "../held-send.ts";
import { flag, int, level, option, type Socket } from "../sockets.ts";
import { streamPosition } from "./stream-position.ts";

/** enum way of programs/answers.bpf.c: answers go into the caller's queue, or onto the relay's end of its connection. */
export const way = { queue: 0, home: 1 } as const;

type Caller = {
  self: bigint;
  home: bigint;
  servers: bigint[];
  way: number;
  busy: number;
  started: number;
  read: number;
  promised: number;
  taken: number;
};
type Ends = { local: number; remote: number };

/** What came of many pairs. */
export interface Pairs {
  /** Pairs of which both requests were taken by the program. */
  taken: number;
  /** Pairs whose second answer was read before the first. */
  swapped: number;
  /** Pairs of which an answer or a request never arrived. */
  lost: number;
}

const size = 16;
const message = (letter: string): Buffer => Buffer.alloc(size, letter);
/** How much later than the first request the second one is sent, at most. */
const longestGapNs = 40_000;

/** A caller of the relay, two links to servers on the same node, and the program told of all. */
interface PairWorld {
  readonly bench: Bench;
  readonly caller: Connection;
  readonly servers: readonly [Connection, Connection];
  readonly state: () => Caller;
}

async function openPairs(bench: Bench, kind: number): Promise<PairWorld> {
  const home = await bench.listen({ active: places.speaks, passive: places.only });
  const links = await bench.listen({ active: places.only, passive: places.speaks });
  const caller = await bench.connect(home);
  await caller.active.setOption(level.tcp, option.tcpNoDelay, int(1));
  const servers = [await bench.connect(links), await bench.connect(links)] as const;
  const callers = bench.map<Ends, Caller>("callers");
  const ends = { local: await caller.active.port(), remote: home.port };
  const served = bench.map<Ends, Ends>("served");
  for (const { active } of servers) served.set({ local: links.port, remote: await active.port() }, ends);
  callers.set(ends, {
    self: await caller.active.cookie(),
    home: await caller.passive.cookie(),
    servers: await Promise.all(servers.map(({ passive }) => passive.cookie())),
    way: kind,
    busy: 0,
    started: 0,
    read: 0,
    promised: 0,
    taken: 0,
  });
  const state = (): Caller => {
    const found = callers.get(ends);
    if (found === undefined) throw new Error("the caller's entry is gone");
    return found;
  };
  return { bench, caller, servers, state };
}

/**
 * Whether a second request is taken while the answer to the first is on its way: its verdict has fallen, its bytes have
 * not moved. To keep it there, the lock of the socket that it goes to is held by a send whose memory is not there.
 */
export async function answersUnderWay(kind: number): Promise<boolean> {
  await using bench = await Bench.open("answers");
  const { caller, servers, state } = await openPairs(bench, kind);
  const [first] = servers;
  assert.equal(await caller.active.send(message("1")), size);
  assert.equal(await first.passive.receive(size), "1".repeat(size));
  // By queue it is the second request itself that holds the lock: the program runs when its bytes are copied.
  const held = await holdInSend(kind === way.queue ? caller.active : caller.passive, size);
  const answering = bench.calls.begin([
    "sendto",
    first.passive.fd,
    bytes(message("A")),
    size,
    flag.noSignal,
    0,
    0,
  ]);
  await until(() => state().busy === 0, { what: "the answer's verdict" });
  assert.ok(await answering.sleeps(), "the answer moved although the lock is held");
  if (kind === way.home) await caller.active.send(message("2"));
  await held.release();
  await Promise.all([held.sending.outcomes, answering.outcomes]);
  return state().taken === 2;
}

/**
 * Sends pairs of requests to two servers, the second a moment after the first and without reading in between, and looks
 * in which order the answers can be read.
 */
export async function sendPairs(kind: number, count: number): Promise<Pairs> {
  await using bench = await Bench.open("answers");
  const { caller, servers, state } = await openPairs(bench, kind);
  const begin = await streamPosition(caller.passive);
  const result: Pairs = { taken: 0, swapped: 0, lost: 0 };
  const answering: Pending[] = [await answerOnce(servers, 0), await answerOnce(servers, 1)];
  for (let pair = 0; pair < count; pair += 1) {
    const { active, passive } = caller;
    const send = (letter: string) =>
      ["sendto", active.fd, bytes(message(letter)), size, flag.noSignal, 0, 0] as const;
    // Spread evenly, and the same on every run.
    const gap = Math.round(longestGapNs * ((pair * 0.618_034) % 1));
    await bench.calls.sequence(send("1"), ["spin", gap], send("2"));
    const { answers, relayed } = await outcome(active, passive);
    if (answers === "AB") result.taken += 1;
    else if (answers === "BA") result.swapped += 1;
    else if (!(answers === "A" && relayed)) result.lost += 1;
    for (const index of [0, 1]) {
      if (!answers.includes(letters[index] ?? "")) continue;
      await answering[index]?.outcomes;
      answering[index] = await answerOnce(servers, index);
    }
  }
  if (kind === way.home) await promisesKept(caller, begin, () => state().promised);
  return result;
}

/** What the two servers answer. */
const letters = ["A", "B"];

/** A thread of a server that sleeps until a request is there, and answers it. */
async function answerOnce(servers: readonly Connection[], index: number): Promise<Pending> {
  const server = servers[index]?.passive;
  assert.ok(server !== undefined);
  const answer = bytes(message(letters[index] ?? ""));
  const pending = server.calls.begin(
    ["recvfrom", server.fd, room(size), size, 0, 0, 0],
    ["sendto", server.fd, answer, size, flag.noSignal, 0, 0],
  );
  assert.ok(await pending.sleeps(), "a request from before is there");
  return pending;
}

/** Waits until both answers are read, or the first one while the second request went to the relay. */
async function outcome(caller: Socket, relay: Socket): Promise<{ answers: string; relayed: boolean }> {
  let [answers, relayed] = ["", false];
  const look = async (): Promise<boolean> => {
    const piece = await caller.receiveNow();
    if (piece !== undefined)
      for (let at = 0; at < piece.length; at += size) answers += piece.toString("latin1", at, at + 1);
    relayed ||= (await relay.receiveNow()) !== undefined;
    return answers.length + Number(relayed) >= 2;
  };
  const end = performance.now() + 5_000;
  await until(async () => (await look()) || performance.now() > end, { what: "two answers", everyMs: 0 });
  return { answers, relayed };
}

/** All that was promised has left on the caller's own connection. */
async function promisesKept({ passive }: Connection, begin: number, promised: () => number): Promise<void> {
  await until(async () => (await streamPosition(passive)) - begin === promised(), {
    what: "the relay's end to have written what was promised",
    timeoutMs: 5_000,
  });
}
