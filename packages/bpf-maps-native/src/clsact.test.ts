import type { Socket } from "node:dgram";
import { expect } from "vitest";
import { detachClsact } from "./attachment.ts";
import type { BpfObject } from "./bpf-object.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { bindInNamespace, nextText } from "./testing/network.ts";
import { makeNamespace } from "./testing/places.ts";
import { numbers, openProgram, u32 } from "./testing/programs.ts";

const watched = 5001;
const other = 5002;
/** Ethernet, IPv4 and UDP headers before a payload. */
const headers = 14 + 20 + 8;

async function loadWatcher(stack: AsyncDisposableStack, drop: boolean): Promise<BpfObject> {
  const object = stack.use(await openProgram("traffic"));
  object.setReadOnlyData("watched_port", watched);
  object.setReadOnlyData("drop_watched", drop);
  object.configureProgram("forward", { autoload: false });
  await object.load();
  return object;
}

/** Packets and bytes that the program saw at the watched port. */
function seen(object: BpfObject): number[] {
  using counters = object.map("counters");
  return [4, 5].flatMap((index) => numbers(counters.lookup(u32(index))));
}

/** Sends to the watched port, then to another; what arrives first, the loopback keeping the order. */
async function firstArrival(netnsPath: string): Promise<string> {
  const receivers = await Promise.all([watched, other].map((port) => bindInNamespace(netnsPath, port)));
  const sender = await bindInNamespace(netnsPath, 0);
  try {
    const first = Promise.race(receivers.map((socket: Socket) => nextText(socket)));
    sender.send("watched", watched, "127.0.0.1");
    sender.send("other", other, "127.0.0.1");
    return await first;
  } finally {
    for (const socket of [...receivers, sender]) socket.close();
  }
}

kernelTest(
  "operation: attach to clsact (BpfProgram.attachClsact) - every packet in another namespace is counted, with its bytes",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(makeNamespace());
    const object = await loadWatcher(stack, false);
    using program = object.program("watch_packet");
    stack.use(await program.attachClsact("lo", "ingress", { netnsPath: path }));
    const receiver = await bindInNamespace(path, watched);
    const sender = await bindInNamespace(path, 0);
    for (let i = 0; i < 10; i++) {
      const arrival = nextText(receiver);
      sender.send("x".repeat(i), watched, "127.0.0.1");
      expect(await arrival).toBe("x".repeat(i));
    }
    for (const socket of [receiver, sender]) socket.close();
    expect(seen(object)).toEqual([10, 10 * headers + 45]);
  },
);

kernelTest(
  "operation: detach from clsact (Attachment.detach) - packets are dropped in both directions, until detached",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(makeNamespace());
    const object = await loadWatcher(stack, true);
    using program = object.program("watch_packet");
    expect(await firstArrival(path)).toBe("watched");
    for (const [index, direction] of (["ingress", "egress"] as const).entries()) {
      const attachment = await program.attachClsact("lo", direction, { netnsPath: path });
      expect(await firstArrival(path)).toBe("other");
      expect(seen(object)[0]).toBe(index + 1);
      await attachment.detach();
      expect(await firstArrival(path)).toBe("watched");
    }
  },
);

kernelTest(
  "operation: replace a clsact filter (BpfProgram.attachClsact, Attachment.close, detachClsact) - " +
    "same priority and handle, and removed by whoever knows them",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(makeNamespace());
    const object = await loadWatcher(stack, true);
    using program = object.program("watch_packet");
    const place = { netnsPath: path, priority: 7, handle: 9 };
    (await program.attachClsact("lo", "ingress", place)).close();
    await expect(program.attachClsact("lo", "ingress", place)).rejects.toMatchObject({
      code: "EEXIST",
      operation: "attach",
      object: `program watch_packet to clsact ingress of lo in ${path}`,
    });
    const passing = await loadWatcher(stack, false);
    using replacement = passing.program("watch_packet");
    (await replacement.attachClsact("lo", "ingress", { ...place, replace: true })).close();
    expect(await firstArrival(path)).toBe("watched");
    expect([seen(object)[0], seen(passing)[0]]).toEqual([0, 1]);
    await detachClsact("lo", "ingress", place);
    expect(await firstArrival(path)).toBe("watched");
    expect(seen(passing)[0]).toBe(1);
    await expect(detachClsact("lo", "ingress", place)).rejects.toThrow(/ENOENT|EINVAL/);
  },
);

kernelTest("detaching from a namespace that is gone is no error, an unknown interface is", async () => {
  await using stack = new AsyncDisposableStack();
  const object = await loadWatcher(stack, true);
  using program = object.program("watch_packet");
  const space = makeNamespace();
  const netnsPath = space.path;
  const attachment = await program.attachClsact("lo", "ingress", { netnsPath });
  await expect(program.attachClsact("none0", "ingress", { netnsPath })).rejects.toThrow(
    "ENODEV (19): no interface none0",
  );
  space[Symbol.dispose]();
  await attachment.detach();
  await expect(program.attachClsact("lo", "ingress", { netnsPath })).rejects.toThrow("ENOENT (2)");
});
