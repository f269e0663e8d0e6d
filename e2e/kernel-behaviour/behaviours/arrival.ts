import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, places } from "../bench.ts";
import { bytes, type Call, room } from "../calls.ts";
import { flag } from "../sockets.ts";

/** As in programs/arrival.bpf.c. */
type Caller = {
  self: bigint;
  link: bigint;
  moved: number;
  awaited: number;
  asks_lock: number;
  late: number;
  looks: number;
  held: number;
  absent: number;
};

const size = 128;
/** The thread runs on one CPU from then on. */
const onCpu = (cpu: number): Call => {
  const mask = Buffer.alloc(8);
  mask.writeBigUInt64LE(1n << BigInt(cpu));
  return ["sched_setaffinity", 0, mask.length, bytes(mask)];
};

const send = (fd: number, text: string): Call => [
  "sendto",
  fd,
  bytes(text),
  text.length,
  flag.noSignal,
  0,
  0,
];
const request = "1".repeat(size);
const answer = "A".repeat(size);

/** Looks many times at the moment between an answer's verdict and its arrival. */
async function watch(count: number, asksLock: boolean): Promise<Caller> {
  await using bench = await Bench.open("arrival");
  const caller = await bench.connect(await bench.listen({ active: places.speaks, passive: places.only }));
  const link = await bench.connect(await bench.listen({ active: places.hears }));
  const callers = bench.map<number, Caller>("callers");
  callers.set(0, {
    self: await caller.active.cookie(),
    link: await link.active.cookie(),
    moved: 0,
    awaited: 0,
    asks_lock: Number(asksLock),
    late: 0,
    looks: 0,
    held: 0,
    absent: 0,
  });
  for (let turn = 0; turn < count; turn += 1) await answerWhileWatched(caller, link);
  const seen = callers.get(0);
  assert.ok(seen !== undefined);
  return seen;
}

async function answerWhileWatched({ active }: Connection, link: Connection): Promise<void> {
  const { calls, fd } = link.passive;
  const serving = calls.begin(onCpu(1), ["recvfrom", fd, room(size), size, 0, 0, 0], send(fd, answer));
  assert.ok(await serving.sleeps(), "a request from before is there");
  await active.calls.sequence(onCpu(0), send(active.fd, request), send(active.fd, "2"));
  await serving.outcomes;
  assert.equal(await active.receive(size), answer);
}

export const arrival: Behaviour = {
  name: "arrival",
  claim:
    "An answer that sk_skb moves is in one of the caller's two queues when the link's lock is free again after its verdict, " +
    "and stays in one of them until it is read: whoever has seen the verdict, then the lock free, then both queues empty, " +
    "knows that it was read. Without the look at the lock it may just not be there yet.",
  async observe(length, tell): Promise<Observed> {
    if (availableParallelism() < 2) {
      tell("not looked at: it takes two CPUs");
      return {};
    }
    const count = length === "short" ? 100 : 5_000;
    const hasty = await watch(Math.min(count, 500), false);
    tell(`without the lock: ${hasty.absent} of ${hasty.looks} answers were nowhere to be seen`);
    const exact = await watch(count, true);
    tell(`with it: ${exact.looks} looks, ${exact.held} met it held, ${exact.late} gave up`);
    assert.equal(exact.absent, 0);
    assert.ok(exact.looks > count / 2, `${exact.looks} of ${count} looks came about`);
    return { "behind the link's lock every answer was in a queue": true };
  },
};
