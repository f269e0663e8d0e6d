import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { descriptorOf } from "bpf-maps-native";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, places } from "../bench.ts";
import { flag, int, ioctl, level, option, poll } from "../sockets.ts";
import { action, setRule } from "./letters.ts";
import { type Look, looks, mixtures } from "./reader-looks.ts";
import {
  information,
  patienceMs,
  plainWorld,
  receive,
  receiveAll,
  redirectedWorld,
  redirectTo,
  setTimeLimit,
  textOf,
  type World,
} from "./readers.ts";

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
