import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, places } from "../bench.ts";
import { bytes, room } from "../calls.ts";
import { flag, int, poll, type Socket } from "../sockets.ts";
import { type FrameOptions, openFrames, registerCaller } from "./frames.ts";

const body = 256 * 1024;
const buffers = 16_384;
/** More than all buffers on the way hold: those that were made small, or TCP's own on the way to the relay. */
const lengthFor = ({ needsRoom = false }: FrameOptions): number => (needsRoom ? 64 : 2) * body;
const now = flag.dontWait | flag.noSignal;
/** How long we wait for an event before we believe that none comes. */
const patienceMs = 500;
/** How often a caller is looked at in a row while it waits, every how many ms, and how many rows until it is found asleep. */
const samples = 50;
const sampleMs = 5;
const looks = 4;
/** Part of the time that one who sleeps may be busy. */
const asleep = 0.1;

/** The way that the design takes: a request only goes where there is room for it, else by the relay. */
const withRoom: FrameOptions = { careful: true, needsRoom: true, buffers };
/** Every byte gets where it belongs, but nobody asks whether there is room. */
const unasked: FrameOptions = { careful: true, buffers };

/** An epoll that reports once when the socket becomes writable, as the loops of Go and nginx use it. */
async function edgeOf(socket: Socket): Promise<(milliseconds: number) => Promise<boolean>> {
  const { calls, fd } = socket;
  const epoll = (await calls.must("epoll_create1", 0)).result;
  const event = Buffer.alloc(12);
  const onlyEdges = 0x8000_0000; // EPOLLET
  event.writeUInt32LE((poll.out | onlyEdges) >>> 0);
  await calls.must("epoll_ctl", epoll, 1, fd, bytes(event));
  return async (milliseconds) =>
    (await calls.must("epoll_pwait", epoll, room(12), 1, milliseconds, 0, 8)).result === 1;
}

/** Reads until nothing more comes for a while. */
async function readAll(socket: Socket): Promise<number> {
  let total = 0;
  while ((await socket.poll(poll.in, patienceMs)) !== 0)
    total += (await socket.receiveNow(body))?.length ?? 0;
  return total;
}

/** A caller that waits for its edge while nobody reads, and after all that it sent was read. */
async function edgeTriggered(options: FrameOptions): Promise<{ writable: boolean; wakes: boolean }> {
  await using bench = await Bench.open("frames");
  const { caller, upstreams } = await openFrames(bench, options);
  const edge = await edgeOf(caller.active);
  assert.ok(await edge(patienceMs), "a fresh connection is writable");
  const length = lengthFor(options);
  assert.equal(await caller.active.send(int(length, 1), now), 8);
  // As such a loop does: until there is nothing to send by, and then again at each edge. TCP's own buffers grow meanwhile.
  let error = "";
  do error = (await caller.active.fill(length, 65_536, now)).error;
  while (await edge(patienceMs / 4));
  assert.equal(error, "EAGAIN", "all was taken, nothing to wait for");
  const writable = (await caller.active.poll(poll.out, 0)) === poll.out;
  const target = options.needsRoom === true ? caller.passive : upstreams[0].passive;
  const [, wakes] = await Promise.all([readAll(target), edge(2 * patienceMs)]);
  return { writable, wakes };
}

/** Whether a process's first thread runs or waits for a CPU, rather than for something else: proc(5), state. */
function wantsToRun(pid: number): boolean {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text[text.lastIndexOf(")") + 2] === "R";
}

/**
 * The smallest part of a while in which a process wants to run: it may have to get through what it began before. How much
 * it gets to run would say something of the machine.
 */
async function leastBusy(pid: number): Promise<number> {
  let least = 1;
  for (let look = 0; look < looks && least >= asleep; look += 1) {
    let busy = 0;
    for (let sample = 0; sample < samples; sample += 1) {
      await delay(sampleMs); // a measurement, no wait for something
      busy += Number(wantsToRun(pid));
    }
    least = Math.min(least, busy / samples);
  }
  return least;
}

interface NodeCaller {
  /** Part of the time in which it ran or wanted to, while nobody read. */
  readonly busy: number;
  /** All was written in the end. */
  readonly finished: boolean;
}

/** A caller in Node sends a request while the upstream reads nothing, and then reads. */
async function nodeCaller(options: FrameOptions): Promise<NodeCaller> {
  await using bench = await Bench.open("frames");
  const world = await openFrames(bench, options);
  const home = await bench.listen({ active: places.speaks });
  const program = join(import.meta.dirname, "../node-caller.ts");
  const child = spawn(process.execPath, [program, bench.calls.namespace, home.address, `${home.port}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await writeFile(join(bench.cgroup, "cgroup.procs"), `${child.pid}`);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    child.stdin.write("connect\n");
    const port = Number((await lines.next()).value);
    const relay = await home.socket.accept();
    const caller = await registerCaller(bench, { local: port, remote: home.port }, world.upstreams, options);
    const length = lengthFor(options);
    child.stdin.write(`${int(length, 1).toString("hex")} ${length - 8}\n`);
    const written = lines.next();
    const first = options.needsRoom === true ? relay : world.upstreams[0].passive;
    assert.equal(await first.poll(poll.in, 60_000), poll.in);
    const busy = await leastBusy(child.pid ?? 0);
    const finished = await readUntil(written, [first, world.upstreams[0].passive, relay]);
    assert.ok(caller().runs > 0);
    return { busy, finished };
  } finally {
    child.kill("SIGKILL");
  }
}

/** Reads from all until a promise is fulfilled; false when nothing has come for long before it is. */
async function readUntil(done: Promise<unknown>, sockets: readonly Socket[]): Promise<boolean> {
  const state = { isDone: false };
  void done.then(() => (state.isDone = true));
  for (let last = performance.now(); !state.isDone && performance.now() - last < 20_000; )
    for (const socket of sockets) if ((await socket.discard()) > 0) last = performance.now();
  return state.isDone;
}

const share = (busy: number): string => `${Math.round(busy * 100)} %`;

export const eventLoop: Behaviour = {
  name: "sleeping event loop",
  claim:
    "A full target is not seen by the caller's event loop: send says EAGAIN while poll says writable, an edge-triggered loop " +
    "never wakes again, a level-triggered one spins. If a request goes only where there is room for it, else by the relay, " +
    "both wait as with TCP.",
  async observe(_size, tell): Promise<Observed> {
    const hidden = await edgeTriggered(unasked);
    const seen = await edgeTriggered(withRoom);
    assert.deepEqual(seen, { writable: false, wakes: true });
    const spinning = await nodeCaller(unasked);
    tell(`Node, a full upstream: busy for ${share(spinning.busy)} of its waiting`);
    const sleeping = await nodeCaller(withRoom);
    tell(`Node, by the relay: busy for ${share(sleeping.busy)} of its waiting`);
    assert.ok(sleeping.finished, "the request by the relay was never written");
    assert.ok(sleeping.busy < asleep, `busy for ${share(sleeping.busy)} while it waits for the relay`);
    return {
      "EAGAIN by a full upstream: poll says writable": hidden.writable,
      "EAGAIN by a full upstream: an edge-triggered loop wakes when it is read": hidden.wakes,
      "EAGAIN by a full upstream: Node spins": spinning.busy > 0.4,
      "EAGAIN by a full upstream: Node finishes when it is read": spinning.finished,
      "room looked at first: edge-triggered loops and Node sleep, wake and finish": true,
    };
  },
};
