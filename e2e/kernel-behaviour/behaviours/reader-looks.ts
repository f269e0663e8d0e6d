import assert from "node:assert/strict";
import { bytes, type Pending, room } from "../calls.ts";
import { flag, int, ioctl, level, option, poll, resultOf } from "../sockets.ts";
import { information, patienceMs, receive, receiveAll, setTimeLimit, textOf, type World } from "./readers.ts";

export type Look = (world: World) => Promise<string | number | boolean>;

/** The rows of the table: each looks at one call in a world. */
export const looks: Readonly<Record<string, Look>> = {
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
export const mixtures: Readonly<Record<string, Look>> = {
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

/** A call that a signal would end ends at once; one that is restarted is still there after a while. */
const stillSleeps = async (receiving: Pending): Promise<string> =>
  new Promise((resolve) => {
    setTimeout(
      () => void receiving.sleeps().then((sleeps) => resolve(sleeps ? "sleeps on" : "returned")),
      patienceMs,
    );
  });
