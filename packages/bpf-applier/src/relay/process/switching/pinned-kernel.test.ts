import { readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { tcpCounts } from "bpf-maps-native";
import { expect } from "vitest";
import { kernelTest } from "../../../kernel.test-helper.ts";
import { LeftLink } from "./left-link.ts";
import { PinnedNode } from "./testing/pinned-node.ts";

const pool = { network: 1n, workload: 2n, endpoint: 3n };

kernelTest("a link joins its pool, is taken out of it once, and comes back when it is released", async () => {
  await using stack = new AsyncDisposableStack();
  const node = await PinnedNode.start(stack, "links");
  const { kernel } = node;
  const { fd, cookie } = await node.connect();
  expect(await kernel.addLink(cookie, pool)).toBe(false); // programs do not hear it
  kernel.hear(cookie, fd);
  expect(await kernel.addLink(cookie, pool)).toBe(true);
  expect(kernel.link(cookie)).toMatchObject({ ...pool, caller: 0n, isPassed: 0, begun: 0n });
  expect(kernel.idleLinks(pool)).toBe(1);
  expect([await kernel.takeLink(cookie), await kernel.takeLink(cookie)]).toEqual([true, false]);
  expect(kernel.idleLinks(pool)).toBe(0);
  expect(await kernel.release(cookie, true)).toBe(true);
  expect(kernel.idleLinks(pool)).toBe(1);
  expect(await kernel.takeLink(cookie)).toBe(true);
  await kernel.dropLink(cookie);
  expect(kernel.link(cookie)).toBeUndefined();
  kernel.dropPool(pool);
  expect(kernel.idleLinks(pool)).toBe(0);
});

kernelTest(
  "that bytes were left to the relay on a link is told once, until it is watched again",
  async () => {
    await using stack = new AsyncDisposableStack();
    const node = await PinnedNode.start(stack, "told");
    const { kernel } = node;
    stack.defer(() => kernel.close());
    const told: bigint[] = [];
    kernel.onPassed = (link) => told.push(link);
    const { fd, cookie } = await node.connect();
    kernel.hear(cookie, fd);
    expect(await kernel.addLink(cookie, pool)).toBe(true);
    const says = async (text: string, passedEver: number): Promise<void> => {
      node.say(text);
      await expect.poll(() => kernel.link(cookie)?.passedEver).toBe(passedEver);
    };
    await says("nobody", 6);
    await expect.poll(() => told).toEqual([cookie]);
    await says("asked", 11);
    await kernel.watchLink(cookie);
    await says("for", 14);
    await expect.poll(() => told).toEqual([cookie, cookie]);
    await says("this", 18);
    expect(await kernel.takeLink(cookie)).toBe(true);
    expect(await kernel.release(cookie, true)).toBe(true);
    await says(".", 19);
    await expect.poll(() => told).toEqual([cookie, cookie, cookie]);
  },
);

kernelTest("a link on which bytes came before programs knew of it joins no pool", async () => {
  await using stack = new AsyncDisposableStack();
  const node = await PinnedNode.start(stack, "early");
  const { kernel } = node;
  const [early, heard] = [await node.connect(), await node.connect()];
  node.say("too early");
  const hasCome = ({ fd }: { fd: number }): Promise<void> =>
    expect.poll(() => tcpCounts(fd)?.unread ?? 0).toBeGreaterThan(0);
  await hasCome(early);
  kernel.hear(early.cookie, early.fd);
  expect(await kernel.addLink(early.cookie, pool)).toBe(false);
  kernel.hear(heard.cookie, heard.fd);
  node.say("!");
  await sleep(20);
  expect(await kernel.addLink(heard.cookie, pool)).toBe(false);
  expect(kernel.idleLinks(pool)).toBe(0);
});

kernelTest("a pool has room for 256 links, and refuses the next", async () => {
  await using stack = new AsyncDisposableStack();
  const node = await PinnedNode.start(stack, "room");
  const { kernel } = node;
  const added: boolean[] = [];
  for (let links = 0; links < 257; links++) {
    const { fd, cookie } = await node.connect();
    kernel.hear(cookie, fd);
    added.push(await kernel.addLink(cookie, pool));
  }
  expect(added.indexOf(false)).toBe(256);
  expect(kernel.idleLinks(pool)).toBe(256);
});

kernelTest("a caller is known from when it joins to when it leaves", async () => {
  await using stack = new AsyncDisposableStack();
  const node = await PinnedNode.start(stack, "callers");
  const { kernel } = node;
  const { fd, cookie: caller } = await node.connect();
  expect([kernel.exchange(caller), await kernel.settle(caller)]).toEqual([undefined, "gone"]);
  kernel.join(caller, fd, 9n);
  kernel.handBack(caller, { read: 0xffff_ffff, written: 7, taken: 0 });
  const none = { link: 0n, promised: 0, isBroken: 0, source: 9n };
  expect(kernel.exchange(caller)).toMatchObject(none);
  expect([...(await kernel.exchanges()).keys()]).toEqual([caller]);
  expect(await kernel.settle(caller)).toBe("settled");
  kernel.takeBack(caller);
  kernel.takeBack(caller);
  kernel.leave(caller);
  kernel.leave(caller);
  expect(await kernel.settle(caller)).toBe("gone");
  expect((await kernel.exchanges()).size).toBe(0);
});

kernelTest("what a relay has left behind that is gone is removed; what has its socket stays", async () => {
  await using stack = new AsyncDisposableStack();
  const node = await PinnedNode.start(stack, "clean");
  const { kernel } = node;
  const [caller, link] = [await node.connect(), await node.connect()];
  kernel.join(caller.cookie, caller.fd, 0n);
  kernel.hear(link.cookie, link.fd);
  await kernel.addLink(link.cookie, pool);
  await kernel.clean();
  expect(kernel.exchange(caller.cookie)).toBeDefined();
  expect(kernel.link(link.cookie)).toBeDefined();
  expect(kernel.idleLinks(pool)).toBe(1);
  node.closeAll();
  await kernel.clean();
  expect(kernel.idleLinks(pool)).toBe(0);
  expect(kernel.exchange(caller.cookie)).toBeUndefined();
  expect(kernel.link(link.cookie)).toBeUndefined();
});

kernelTest(
  "what nobody has read of a caller's connection is known where it is in a map of sockets, too",
  async () => {
    await using stack = new AsyncDisposableStack();
    const node = await PinnedNode.start(stack, "unread");
    const { fd, cookie } = await node.connect();
    node.kernel.join(cookie, fd, 9n);
    node.say("unread");
    await expect.poll(() => tcpCounts(fd)).toMatchObject({ read: 0, unread: 6 });
    expect(readSync(fd, Buffer.alloc(2))).toBe(2);
    expect(tcpCounts(fd)).toMatchObject({ read: 2, unread: 4 });
  },
);

kernelTest(
  "a link that was left may be used as long as nothing came that nobody had asked for, read or not, and somebody has it",
  async () => {
    await using stack = new AsyncDisposableStack();
    const node = await PinnedNode.start(stack, "left");
    const { kernel } = node;
    const { fd, cookie } = await node.connect();
    kernel.hear(cookie, fd);
    await kernel.addLink(cookie, pool);
    const note = LeftLink.note("127.0.0.1:80", 30_000);
    const left = new LeftLink(kernel, { fd, note, drop: () => undefined });
    expect(left).toMatchObject({ cookie, address: "127.0.0.1:80", idleMs: 30_000 });
    expect(await left.look()).toBe("idle");
    expect(kernel.idleLinks(pool)).toBe(0);
    expect(await left.look()).toBe("doubtful"); // it is nobody's now
    const lookAgain = async (): Promise<string> => {
      expect(await kernel.release(cookie, true)).toBe(true);
      return left.look();
    };
    expect(await lookAgain()).toBe("idle");
    node.say("unasked");
    await expect.poll(() => tcpCounts(fd)?.unread).toBe(7);
    expect(await lookAgain()).toBe("doubtful");
    expect(readSync(fd, Buffer.alloc(7))).toBe(7);
    expect(await lookAgain()).toBe("doubtful");
  },
);
