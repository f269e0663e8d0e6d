import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { descriptorOf } from "bpf-maps-native";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, type Listener, places } from "../bench.ts";
import { bytes, previous } from "../calls.ts";
import { flag, int, level, option, poll, resultOf, Socket, socketAddress } from "../sockets.ts";
import { action, type Rule, setRule } from "./letters.ts";

const mptcp = 262;
const loopback = "127.0.0.1";
const patienceMs = 300;

/** A caller's socket that has a port but no connection, and what the program does with what it sends. */
interface Unopened {
  readonly socket: Socket;
  /** How often the program looked at something. */
  readonly runs: () => number;
}

async function unopened(bench: Bench, { port }: Listener): Promise<Unopened> {
  const socket = await Socket.open(bench.calls);
  await socket.bind(loopback, 0);
  const rules = bench.map<{ local: number; remote: number }, Rule>("rules");
  const ends = { local: await socket.port(), remote: port };
  rules.set(ends, { target: 0n, action: action.pass, runs: 0 });
  return { socket, runs: () => rules.get(ends)?.runs ?? 0 };
}

/** Allows TCP fast open on both sides, in the bench's namespace. */
async function allowFastOpen(bench: Bench): Promise<void> {
  const file = bytes("/proc/sys/net/ipv4/tcp_fastopen\0");
  const writeOnly = 1;
  const opened = ["openat", -1, file, writeOnly, 0] as const;
  const [, written] = await bench.calls.sequence(opened, ["write", previous, bytes("3"), 1]);
  assert.equal(written?.result, 1, "tcp_fastopen cannot be set");
}

/** Data that is sent by the call that opens the connection, by which the program is to be told of it. */
async function fastOpen(bench: Bench): Promise<Observed> {
  await allowFastOpen(bench);
  const listener = await bench.listen({ active: places.speaks });
  await listener.socket.setOption(level.tcp, option.tcpFastOpen, int(16));
  const name = socketAddress(loopback, listener.port);
  const open = {
    MSG_FASTOPEN: async ({ fd, calls }: Socket, data: string) =>
      resultOf(
        await calls.call("sendto", fd, bytes(data), data.length, flag.fastOpen, bytes(name), name.length),
      ),
    TCP_FASTOPEN_CONNECT: async (socket: Socket, data: string) => {
      const fastOpenConnect = 30;
      await socket.setOption(level.tcp, fastOpenConnect, int(1));
      await socket.connect(loopback, listener.port);
      return socket.send(data);
    },
  };
  const observed: Observed = {};
  // The first connection only fetches the cookie with which later ones may send at once.
  for (const [title, how] of [
    ["MSG_FASTOPEN, first", open.MSG_FASTOPEN],
    ["MSG_FASTOPEN", open.MSG_FASTOPEN],
    ["TCP_FASTOPEN_CONNECT", open.TCP_FASTOPEN_CONNECT],
  ] as const) {
    const { socket, runs } = await unopened(bench, listener);
    assert.equal(await how(socket, "open"), 4);
    const accepted = await listener.socket.accept();
    assert.equal(await accepted.receive(4, flag.waitAll), "open");
    observed[`${title}: runs for what the opening call sent`] = runs();
    assert.equal(await socket.send("next"), 4);
    assert.equal(await accepted.receive(4, flag.waitAll), "next");
    observed[`${title}: runs after the next send`] = runs();
  }
  return observed;
}

/** Cookies of all sockets that were established so far. */
async function known(bench: Bench): Promise<Set<bigint>> {
  const cookies = new Set<bigint>();
  for await (const [cookie] of bench.map<bigint, bigint>("addresses").entries()) cookies.add(cookie);
  return cookies;
}

/** A connection that nobody accepts: whether its other end can be a target. */
async function unaccepted(bench: Bench, deferred: boolean): Promise<Observed> {
  const title = deferred ? "TCP_DEFER_ACCEPT" : "not accepted yet";
  const speakers = await bench.listen({ active: places.speaks });
  const listener = await bench.listen({ passive: places.only });
  if (deferred) await listener.socket.setOption(level.tcp, option.tcpDeferAccept, int(30));
  const before = await known(bench);
  const idle = await Socket.open(bench.calls);
  await idle.connect(loopback, listener.port);
  const ends = [...(await known(bench))].filter((cookie) => !before.has(cookie));
  const observed: Observed = { [`${title}: the server's end exists`]: ends.length > 0 };
  const [cookie] = ends;
  if (cookie !== undefined) {
    const speaker = await bench.connect(speakers);
    const rules = bench.map<{ local: number; remote: number }, Rule>("rules");
    const at = { local: await speaker.active.port(), remote: speakers.port };
    rules.set(at, { target: cookie, action: action.ingress, runs: 0 });
    assert.equal(await speaker.active.send("data"), 4);
    observed[`${title}: what was redirected to it is read after accept`] = await (
      await listener.socket.accept()
    ).receive(4);
    return observed;
  }
  assert.equal(await idle.send("data"), 4);
  const accepted = await listener.socket.accept();
  observed[`${title}: it exists after the first data`] = (await known(bench)).size > before.size;
  assert.equal(await accepted.receive(4), "data");
  return observed;
}

/** Whether the program sees what a caller sends, and the server gets it. */
async function passes(bench: Bench, { active, passive }: Connection): Promise<number> {
  const runs = await setRule(bench, { active, passive }, action.pass);
  assert.equal(await active.send("data"), 4);
  assert.equal(await passive.receive(4), "data");
  return runs();
}

async function families(bench: Bench): Promise<Observed> {
  const four = await bench.listen({ active: places.speaks });
  const six = await bench.listen({ active: places.speaks, address: "::1" });
  const mapped = { ...four, address: `::ffff:${loopback}` };
  return {
    "IPv4: runs for a send": await passes(bench, await bench.connect(four)),
    "IPv6: runs for a send": await passes(bench, await bench.connect(six)),
    "IPv4-mapped: runs for a send": await passes(bench, await bench.connect(mapped)),
  };
}

/** MPTCP at the server alone, as Go's servers have it, and on both sides. */
async function multipath(bench: Bench): Promise<Observed> {
  const offered = await bench.calls.call("socket", 2, 1, mptcp);
  if (offered.error !== "") return { MPTCP: `not in this kernel: ${offered.error}` };
  const listener = await bench.listen({ active: places.speaks, passive: places.only, protocol: mptcp });
  const before = await known(bench);
  const plain = await bench.connect(listener);
  const observed: Observed = {
    "MPTCP server, TCP caller: ends in the maps": (await known(bench)).size - before.size,
    "MPTCP server, TCP caller: runs for a send": await passes(bench, plain),
  };
  const refusals = bench.map<number, bigint>("refusals");
  const refused = refusals.get(0) ?? 0n;
  const caller = await Socket.open(bench.calls, loopback, mptcp);
  assert.equal((await caller.connect(loopback, listener.port)).error, "");
  const both = { active: caller, passive: await listener.socket.accept() };
  observed["MPTCP on both sides: runs for a send"] = await passes(bench, both);
  observed["MPTCP on both sides: the maps refuse its sockets"] = (refusals.get(0) ?? 0n) > refused;
  return observed;
}

/** Data that lies in a socket when it enters a map whose program would move it. */
async function insertedLate(bench: Bench): Promise<Observed> {
  const [links, homes] = [await bench.listen(), await bench.listen({ active: places.only })];
  const link = await bench.connect(links);
  const { active: reader } = await bench.connect(homes);
  await setRule(bench, link, action.ingress, reader);
  assert.equal(await link.passive.send("old "), 4);
  assert.equal(await link.active.poll(poll.in, 5_000), poll.in);
  const copy = descriptorOf(bench.calls.pid, link.active.fd);
  try {
    using hearers = bench.object.map("hearers");
    hearers.setSocket(new Uint8Array(BigUint64Array.of(await link.active.cookie()).buffer), copy);
  } finally {
    closeSync(copy);
  }
  const moved = (await reader.poll(poll.in, patienceMs)) === poll.in;
  assert.equal(await link.passive.send("new "), 4);
  assert.equal(await reader.poll(poll.in, 5_000), poll.in);
  const first = await reader.receive(8);
  const rest =
    first.length < 8 && (await reader.poll(poll.in, patienceMs)) !== 0 ? await reader.receive(8) : "";
  return {
    "bytes in a socket when it enters a map: moved at once": moved,
    "bytes in a socket when it enters a map: read when more came": (first + rest).trim(),
  };
}

/** A listening socket may be in a map, but is no target. */
async function listening(bench: Bench): Promise<Observed> {
  const listener = await bench.listen();
  const copy = descriptorOf(bench.calls.pid, listener.socket.fd);
  using sockets = bench.object.map("sockets");
  const key = new Uint8Array(BigUint64Array.of(await listener.socket.cookie()).buffer);
  const observed: Observed = {};
  try {
    sockets.setSocket(key, copy);
    observed["a listening socket in a map"] = "taken";
  } catch (error) {
    observed["a listening socket in a map"] = /E[A-Z]+/.exec(String(error))?.[0] ?? String(error);
  } finally {
    closeSync(copy);
  }
  const speakers = await bench.listen({ active: places.speaks });
  const speaker = await bench.connect(speakers);
  await setRule(bench, speaker, action.ingress, listener.socket);
  observed["a send redirected to a listening socket"] = await speaker.active.send("data");
  return observed;
}

export const opening: Behaviour = {
  name: "opening oddities",
  claim:
    "What the opening call itself sends reaches no program, though the socket is in the map; a server that defers accept has " +
    "no end to redirect to; MPTCP on both sides stays outside the maps; bytes that came before the insertion wait for more.",
  async observe(): Promise<Observed> {
    await using bench = await Bench.open("letters");
    const observed = {
      ...(await families(bench)),
      ...(await fastOpen(bench)),
      ...(await unaccepted(bench, false)),
      ...(await unaccepted(bench, true)),
      ...(await multipath(bench)),
      ...(await insertedLate(bench)),
      ...(await listening(bench)),
    };
    // What the design stands on: whoever connects and then sends is seen, whatever the address family.
    for (const family of ["IPv4", "IPv6", "IPv4-mapped"])
      assert.equal(observed[`${family}: runs for a send`], 1, family);
    return observed;
  },
};
