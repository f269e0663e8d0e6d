import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench } from "../bench.ts";
import { flag, type Socket } from "../sockets.ts";
import { type FrameWorld, openFrames, receivers, request } from "./frames.ts";

const kibi = 1024;

interface Delivery {
  /** What came to the first server, the second, and the relay. */
  readonly arrived: readonly Buffer[];
  readonly sends: number;
  readonly shortSends: number;
}

/** Sends all of it without ever blocking; whoever receives reads only when the sender cannot go on. */
async function push(world: FrameWorld, content: Buffer): Promise<Delivery> {
  const sockets = receivers(world);
  const arrived: Buffer[][] = sockets.map(() => []);
  const empty = async (socket: Socket, index: number): Promise<number> => {
    const piece = await socket.receiveNow(kibi * kibi);
    if (piece === undefined) return 0;
    arrived[index]?.push(piece);
    return piece.length;
  };
  const emptyAll = async (): Promise<number> =>
    (await Promise.all(sockets.map(empty))).reduce((sum, size) => sum + size, 0);
  let [at, sends, shortSends, received] = [0, 0, 0, 0];
  const end = performance.now() + 60_000;
  while (received < content.length) {
    assert.ok(performance.now() < end, `${received} of ${content.length} bytes after a minute`);
    const left = content.subarray(at);
    const sent = left.length > 0 ? await world.caller.active.send(left, flag.dontWait | flag.noSignal) : 0;
    if (left.length > 0) sends += 1;
    assert.ok(typeof sent === "number" || sent === "EAGAIN", `send: ${sent}`);
    if (sent !== left.length) shortSends += 1;
    at += typeof sent === "number" ? sent : 0;
    received += await emptyAll();
  }
  return { arrived: arrived.map((pieces) => Buffer.concat(pieces)), sends, shortSends };
}

export const shortRedirect: Behaviour = {
  name: "short redirect",
  claim:
    "apply_bytes is charged before the bytes move: after a short redirect the rest of a body is taken for a new request. " +
    "The upstream's write_seq says what is still owed.",
  async observe(size, tell): Promise<Observed> {
    await using bench = await Bench.open("frames");
    const body = size === "short" ? 256 * kibi : kibi * kibi;
    const [one, two] = [request(1, body, "1"), request(2, 100, "2")];
    const content = Buffer.concat([one, two]);
    const deliver = async (careful: boolean): Promise<{ delivery: Delivery; world: FrameWorld }> => {
      const world = await openFrames(bench, { careful, buffers: 16 * kibi });
      const delivery = await push(world, content);
      const sizes = delivery.arrived.map((bytes) => bytes.length).join(" + ");
      const { runs, stray } = world.state();
      tell(`${careful ? "write_seq" : "apply_bytes"}: ${sizes} bytes, ${runs} runs, ${stray} without a head`);
      return { delivery, world };
    };
    const trusting = await deliver(false);
    const careful = await deliver(true);
    assert.ok(careful.delivery.shortSends > 0, "nothing was short: the buffers are too large for this test");
    assert.deepEqual(careful.delivery.arrived.map(digest), [one, two, Buffer.alloc(0)].map(digest));
    assert.equal(careful.world.state().stray, 0);
    const { stray } = trusting.world.state();
    return {
      "apply_bytes: the request arrives whole": trusting.delivery.arrived[0]?.equals(one) ?? false,
      "apply_bytes: bytes of it reach the relay": (trusting.delivery.arrived[2]?.length ?? 0) > 0,
      "apply_bytes: runs that find no head": stray > 0 ? "some" : "none",
      "write_seq: both requests arrive whole, none at the relay": true,
    };
  },
};

/** Enough of a content to see in an error what is wrong with it. */
const digest = (content: Buffer): string =>
  `${content.length} bytes, sha-256 ${createHash("sha256").update(content).digest("hex")}`;
