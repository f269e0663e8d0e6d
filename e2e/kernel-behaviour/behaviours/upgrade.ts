import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { BpfMap, BpfProgram, type TypedMap, typedMap } from "bpf-maps-native";
import { until } from "../../world/until.ts";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, collect, type Listener, place, places } from "../bench.ts";
import { bytes } from "../calls.ts";
import { Ground } from "../ground.ts";
import { flag, int, poll } from "../sockets.ts";
import { action, setRule } from "./letters.ts";

/** struct caller of programs/swap.bpf.c. */
type Caller = { upstreams: bigint[]; owing: number; end: number; began: number[]; missed: number };
type Ends = { local: number; remote: number };

const slot = new Uint8Array(4);
const patienceMs = 300;

/** A caller of the relay and an upstream for either version of the program. */
interface Swapped {
  readonly caller: Connection;
  readonly upstreams: readonly [Connection, Connection];
  readonly state: () => Caller;
}

/** @param listen gives a listener, the caller's ends of whose connections are placed */
async function connectAll(
  ground: Ground,
  listen: (active: number) => Promise<Listener>,
  callers: TypedMap<Ends, Caller>,
): Promise<Swapped> {
  const home = await listen(places.speaks);
  const links = await listen(places.only);
  const caller = await ground.connect(home);
  const upstreams = [await ground.connect(links), await ground.connect(links)] as const;
  const ends = { local: await caller.active.port(), remote: home.port };
  callers.set(ends, {
    upstreams: await Promise.all(upstreams.map(({ active }) => active.cookie())),
    owing: 0,
    end: 0,
    began: [0, 0],
    missed: 0,
  });
  const state = (): Caller => {
    const found = callers.get(ends);
    assert.ok(found !== undefined);
    return found;
  };
  return { caller, upstreams, state };
}

/** The numbers of the requests in a stream. @throws AssertionError if one is not whole. */
function requestsIn(stream: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = stream.readInt32LE(at);
    const number = stream.readInt32LE(at + 4);
    const body = stream.subarray(at + 8, at + length);
    assert.ok(body.length === length - 8 && body.every((byte) => byte === number % 251), `request ${number}`);
    numbers.push(number);
    at += length;
  }
  return numbers;
}

/** Requests in two sends each, while the program is swapped as fast as can be. */
async function swapUnderLoad(count: number, tell: (figure: string) => void): Promise<void> {
  await using bench = await Bench.open("swap");
  const [inPlace, first, second] = [
    bench.object.map("in_place"),
    bench.object.program("first"),
    bench.object.program("second"),
  ];
  await inPlace.setProgram(slot, first);
  const world = await connectAll(bench, (active) => bench.listen({ active }), bench.map("callers"));
  const { active, passive } = world.caller;
  let swaps = 0;
  const sending = new AbortController();
  const swapping = (async () => {
    for (; !sending.signal.aborted; swaps += 1)
      await inPlace.setProgram(slot, swaps % 2 === 0 ? second : first);
  })();
  const ends = [world.upstreams[0].passive, world.upstreams[1].passive, passive];
  const arrived: Buffer[][] = [[], [], []];
  let sent = 0;
  const bothMet = (): boolean => world.state().began.every((times) => times > 0);
  while (sent < count || (sent < 50 * count && !bothMet())) {
    const calls = [];
    let total = 0;
    for (const upTo = sent + 50; sent < upTo; sent += 1) {
      const number = sent;
      const length = 8 + (number % 500) + 1;
      const body = Buffer.alloc(length - 8, number % 251);
      calls.push(["sendto", active.fd, bytes(int(length, number)), 8, flag.noSignal, 0, 0] as const);
      // So that some swaps fall between the two sends.
      calls.push(["spin", 50_000] as const);
      calls.push(["sendto", active.fd, bytes(body), body.length, flag.noSignal, 0, 0] as const);
      total += length;
    }
    await bench.calls.sequence(...calls);
    for (const [index, stream] of (await collect(ends, total)).entries()) arrived[index]?.push(stream);
  }
  sending.abort();
  await swapping;
  const [one = [], two = [], relay = []] = arrived.map((pieces) => requestsIn(Buffer.concat(pieces)));
  const { began, missed } = world.state();
  tell(`${swaps} swaps: ${one.length} requests under one version, ${two.length} under the other`);
  // What the design stands on: each request is whole at one upstream, in order, and none passed by.
  assert.deepEqual(
    [...one, ...two].toSorted((a, b) => a - b),
    Array.from({ length: sent }, (_, n) => n),
  );
  for (const numbers of [one, two])
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
  assert.deepEqual([began, missed, relay], [[one.length, two.length], 0, []]);
  assert.ok(one.length > 0 && two.length > 0, "only one version was ever met");
}

/** What a program that is attached in place of another does for sockets that are there already. */
async function replacedInMap(): Promise<Observed> {
  await using bench = await Bench.open("swap");
  using hearers = bench.object.map("hearers");
  using first = bench.object.program("first");
  using second = bench.object.program("second");
  (await first.attachSockmap(hearers)).close(); // stays attached, until another takes its place
  const listen = (active: number): Promise<Listener> =>
    bench.listen({ active: active === places.speaks ? places.hears : active });
  const callers = bench.map<Ends, Caller>("callers");
  const old = await connectAll(bench, listen, callers);
  (await second.attachSockmap(hearers)).close();
  const fresh = await connectAll(bench, listen, callers);
  const version = async ({ caller, state }: Swapped): Promise<number> => {
    await caller.active.send(int(8, 0));
    return state().began.findIndex((count) => count > 0) + 1;
  };
  return {
    "a program replaced in its map: version for a socket from before": await version(old),
    "a program replaced in its map: version for a later socket": await version(fresh),
  };
}

/** A socket leaves its last map while redirected data lies in it. */
async function removedFromMap(): Promise<Observed> {
  await using bench = await Bench.open("letters");
  const [homes, speakers] = [
    await bench.listen({ active: places.only }),
    await bench.listen({ active: places.speaks }),
  ];
  const [reader, speaker] = [await bench.connect(homes), await bench.connect(speakers)];
  await setRule(bench, speaker, action.ingress, reader.active);
  assert.equal(await speaker.active.send("data"), 4);
  using sockets = bench.object.map("sockets");
  assert.ok(sockets.delete(new Uint8Array(BigUint64Array.of(await reader.active.cookie()).buffer)));
  const events = await reader.active.poll(poll.in, patienceMs);
  return {
    "a socket leaves its last map: redirected data that it had not read": events === 0 ? "lost" : "kept",
  };
}

/** Who loaded the programs is killed, having pinned maps, link and versions or not. */
async function killedKeeper(pinned: boolean): Promise<Observed> {
  await using ground = await Ground.make();
  const pins = ground.pinFolder;
  const keeper = spawn(
    process.execPath,
    [join(import.meta.dirname, "../keeper.ts"), ground.cgroup, pins, ...(pinned ? [] : ["unpin"])],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  try {
    await once(keeper.stdout, "data");
    const { placement, callers } = openMaps(pins);
    const listen = async (active: number): Promise<Listener> => {
      const listener = await ground.listen();
      place(placement, listener, { active });
      return listener;
    };
    const { caller, upstreams } = await connectAll(ground, listen, callers);
    for (const map of [placement, callers]) map.map.close();
    const ends = [upstreams[0].passive, upstreams[1].passive, caller.passive];
    const arrivesAt = async (): Promise<string> => {
      await caller.active.send(int(8, 0));
      const arrived = (await collect(ends, 8)).findIndex(({ length }) => length > 0);
      return ["first version's upstream", "second version's upstream", "relay"][arrived] ?? "nowhere";
    };
    assert.equal(await arrivesAt(), "first version's upstream");
    const ended = once(keeper, "exit");
    // Where nothing is to stay pinned it takes the pins away first: it had them so that we could fill its maps.
    keeper.stdin.end("\n");
    if (!pinned) await once(keeper.stdout, "data");
    keeper.kill("SIGKILL");
    await ended;
    if (!pinned) {
      const settled = async (): Promise<boolean> => (await arrivesAt()) === "relay";
      await until(settled, { what: "the programs to be gone", timeoutMs: 10_000 });
      return { "killed without pins: requests of a connection from before arrive at the relay": true };
    }
    const kept = await arrivesAt();
    using inPlace = BpfMap.openPinned(join(pins, "in_place"));
    using second = BpfProgram.openPinned(join(pins, "second"));
    await inPlace.setProgram(slot, second);
    return {
      "killed with pins: a request of a connection from before arrives at": kept,
      "its successor swaps the program: the next request arrives at": await arrivesAt(),
    };
  } finally {
    keeper.kill("SIGKILL");
  }
}

function openMaps(folder: string): {
  placement: TypedMap<{ port: number; passive: number }, number>;
  callers: TypedMap<Ends, Caller>;
} {
  const open = (name: string): BpfMap => BpfMap.openPinned(join(folder, name));
  return { placement: typedMap(open("placement")), callers: typedMap(open("callers")) };
}

export const upgrade: Behaviour = {
  name: "upgrade and restart",
  claim:
    "A program that is attached anew reaches only later sockets; behind a stub that tail-calls, a swap reaches all, between two " +
    "sends. Pinned maps, link and versions outlive their loader.",
  async observe(size, tell): Promise<Observed> {
    await swapUnderLoad(size === "short" ? 400 : 10_000, tell);
    return {
      "behind a stub, swapped under load: each request whole under one version": true,
      ...(await replacedInMap()),
      ...(await removedFromMap()),
      ...(await killedKeeper(true)),
      ...(await killedKeeper(false)),
    };
  },
};
