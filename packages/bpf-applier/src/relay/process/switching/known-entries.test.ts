import { join } from "node:path";
import {
  type ExchangeValue,
  exchangeValue,
  handbackValue,
  type LinkValue,
  linkValue,
  poolKey,
} from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";
import { expect } from "vitest";
import { kernelTest } from "../../../kernel.test-helper.ts";
import { cookieKey } from "../../cookie-key.ts";
import { PinnedKernel } from "./pinned-kernel.ts";
import { PinnedNode } from "./testing/pinned-node.ts";

const pool = { network: 1n, workload: 2n, endpoint: 3n };

/** A node, and its maps as they stand, whatever entries say. */
async function start(stack: AsyncDisposableStack, name: string) {
  const node = await PinnedNode.start(stack, name);
  const open = (map: string): BpfMap => stack.use(BpfMap.openPinned(join(node.folder, map)));
  const maps = {
    exchanges: open("exchanges"),
    handbacks: open("handbacks"),
    links: open("link_values"),
    scans: open("answer_scans"),
    pools: open("pools"),
  };
  const exchange = (caller: bigint): ExchangeValue | undefined => {
    const value = maps.exchanges.lookup(cookieKey(caller));
    return value && exchangeValue.decode(value);
  };
  const link = (cookie: bigint): LinkValue | undefined => {
    const value = maps.links.lookup(cookieKey(cookie));
    return value && linkValue.decode(value);
  };
  return { node, kernel: node.kernel, maps, exchange, link };
}

kernelTest("what the relay leaves and drops is nobody's at once, and removed later", async () => {
  await using stack = new AsyncDisposableStack();
  const { node, kernel, maps, exchange, link } = await start(stack, "late");
  const [caller, dropped] = [await node.connect(), await node.connect()];
  kernel.join(caller.cookie, caller.fd, 9n);
  kernel.hear(dropped.cookie, dropped.fd);
  await kernel.addLink(dropped.cookie, pool);
  const key = poolKey.encode(pool);
  await kernel.takeLink(dropped.cookie);

  kernel.leave(caller.cookie);
  await kernel.dropLink(dropped.cookie);
  kernel.dropPool(pool);
  expect(kernel.exchange(caller.cookie)).toBeUndefined();
  expect((await kernel.exchanges()).size).toBe(0);
  expect(kernel.link(dropped.cookie)).toBeUndefined();
  await expect.poll(() => exchange(caller.cookie)).toMatchObject({ caller: 0n, source: 9n });
  expect(link(dropped.cookie)).toMatchObject({ cookie: 0n, endpoint: 3n });
  expect(maps.scans.lookup(cookieKey(dropped.cookie))).toBeDefined();
  expect(maps.pools.lookup(key)).toBeDefined();
  expect(() => kernel.join(caller.cookie, caller.fd, 9n)).toThrow(/is being removed/);

  await expect
    .poll(() => [
      exchange(caller.cookie),
      link(dropped.cookie),
      maps.scans.lookup(cookieKey(dropped.cookie)),
      maps.pools.lookup(key),
    ])
    .toEqual([undefined, undefined, undefined, undefined]);
  kernel.join(caller.cookie, caller.fd, 9n);
  expect(kernel.exchange(caller.cookie)).toBeDefined();
});

kernelTest("a pool that is wanted again stays, or is made anew once it is gone", async () => {
  await using stack = new AsyncDisposableStack();
  const { node, kernel, maps } = await start(stack, "again");
  const add = async (): Promise<boolean> => {
    const link = await node.connect();
    kernel.hear(link.cookie, link.fd);
    return (await kernel.addLink(link.cookie, pool)) && (await kernel.takeLink(link.cookie));
  };
  expect(await add()).toBe(true);
  const other = { ...pool, endpoint: 4n };
  const dropped = await node.connect();
  kernel.hear(dropped.cookie, dropped.fd);
  expect(await kernel.addLink(dropped.cookie, other)).toBe(true);
  for (const one of [pool, other]) kernel.dropPool(one);
  expect(await add()).toBe(true);
  await expect.poll(() => maps.pools.lookup(poolKey.encode(other))).toBeUndefined();
  expect(maps.pools.lookup(poolKey.encode(pool))).toBeDefined();

  kernel.dropPool(pool);
  await expect.poll(() => maps.pools.lookup(poolKey.encode(pool))).toBeUndefined();
  expect(await add()).toBe(true);
});

kernelTest(
  "what a relay has left to be removed as it ended is removed by the next one as it starts",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { node, kernel, maps, exchange, link } = await start(stack, "next");
    const [caller, dropped] = [await node.connect(), await node.connect()];
    kernel.join(caller.cookie, caller.fd, 9n);
    kernel.hear(dropped.cookie, dropped.fd);
    await kernel.addLink(dropped.cookie, pool);
    kernel.leave(caller.cookie);
    await kernel.dropLink(dropped.cookie);
    await kernel.close();
    expect(exchange(caller.cookie)?.caller).toBe(0n);

    const next = PinnedKernel.open(node.folder);
    await next?.clean();
    expect([exchange(caller.cookie), link(dropped.cookie)]).toEqual([undefined, undefined]);
    expect(maps.scans.lookup(cookieKey(dropped.cookie))).toBeUndefined();
    next?.join(caller.cookie, caller.fd, 9n);
    expect(exchange(caller.cookie)?.caller).toBe(caller.cookie);
  },
);

kernelTest(
  "a thousand callers that leave at a time are all told to programs, and nothing else is touched",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { node, kernel, maps, exchange } = await start(stack, "thousand");
    const caller = await node.connect();
    kernel.join(caller.cookie, caller.fd, 9n);
    const value = exchange(caller.cookie);
    if (value === undefined) throw new Error("no caller has joined");
    const many = Array.from({ length: 1_000 }, (_, i) => 1_000_000n + BigInt(i));
    for (const one of many)
      maps.exchanges.update(cookieKey(one), exchangeValue.encode({ ...value, caller: one }));
    for (const one of many) kernel.leave(one);
    await expect.poll(() => many.filter((one) => exchange(one) !== undefined)).toEqual([]);
    expect(exchange(caller.cookie)).toEqual(value);
  },
);

kernelTest("a program writes nothing to memory that has become another entry's", async () => {
  await using stack = new AsyncDisposableStack();
  const { node, kernel, maps, link, exchange } = await start(stack, "others");
  const { fd, cookie } = await node.connect();
  kernel.hear(cookie, fd);
  await kernel.addLink(cookie, pool);
  await kernel.takeLink(cookie);
  const value = link(cookie);
  if (value === undefined) throw new Error("there is no link");
  // As a program finds it that has looked for the one that had the memory before.
  const others = { ...value, cookie: 4n, caller: 5n, left: 6, isPassed: 1 };
  maps.links.update(cookieKey(cookie), linkValue.encode(others));
  expect(await kernel.release(cookie, true)).toBe(false);
  expect(await kernel.takeLink(cookie)).toBe(false);
  await kernel.dropLink(cookie);
  expect(link(cookie)).toEqual(others);

  kernel.join(cookie, fd, 9n);
  const joined = exchange(cookie);
  if (joined === undefined) throw new Error("the caller has not joined");
  const another = { ...joined, caller: 7n, link: cookie };
  maps.exchanges.update(cookieKey(cookie), exchangeValue.encode(another));
  maps.links.update(cookieKey(cookie), linkValue.encode({ ...value, caller: cookie }));
  expect(await kernel.release(cookie, false)).toBe(true);
  expect(await kernel.settle(cookie)).toBe("gone");
  expect(exchange(cookie)).toEqual(another);
});

kernelTest("a handback counts only as it was said, and of that caller", async () => {
  await using stack = new AsyncDisposableStack();
  const { node, kernel, maps, link, exchange } = await start(stack, "seal");
  const { fd, cookie } = await node.connect();
  kernel.hear(cookie, fd);
  await kernel.addLink(cookie, pool);
  kernel.join(cookie, fd, 9n);
  const joined = exchange(cookie);
  if (joined === undefined) throw new Error("the caller has not joined");
  const place = link(cookie)?.place ?? 0n;
  maps.exchanges.update(cookieKey(cookie), exchangeValue.encode({ ...joined, place }));
  // Where TCP's sequence begins is drawn: behind one of both all is read.
  const said = async (written: number): Promise<string> => {
    kernel.handBack(cookie, { read: 1, written, taken: 0 });
    return kernel.settle(cookie);
  };
  const halves = [0, 0x8000_0000];
  const settlements: string[] = [];
  for (const written of halves) settlements.push(await said(written));
  const written = halves[settlements.indexOf("settled")];
  if (written === undefined) throw new Error(`nothing has settled: ${settlements.join()}`);
  expect(await said(written)).toBe("settled");
  const value = handbackValue.decode(maps.handbacks.lookup(cookieKey(cookie)) ?? new Uint8Array());
  kernel.handBack(cookie + 1n, { read: 1, written, taken: 0 });
  const another = maps.handbacks.lookup(cookieKey(cookie + 1n)) ?? new Uint8Array();
  for (const torn of [handbackValue.encode({ ...value, read: 2 }), another]) {
    maps.handbacks.update(cookieKey(cookie), torn);
    expect(await kernel.settle(cookie)).toBe("moving");
  }
});
