import { once } from "node:events";
import { closeSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { HangUps, leaveLoop } from "./hang-ups.ts";
import { connectInNamespace, socketCookie } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";

/** A connection of which nobody reads, and its other end. */
async function pair(stack: AsyncDisposableStack): Promise<{ fd: number; far: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const fd = await connectInNamespace(undefined, { address: "127.0.0.1", port: address.port });
  const [far] = await accepted;
  server.close();
  stack.defer(() => void far.destroy());
  far.on("error", () => undefined);
  return { fd, far };
}

/** How many of this process's epoll descriptors wait for a descriptor. */
function waitsOf(fd: number): number {
  const isEpoll = (number: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === "anon_inode:[eventpoll]";
    } catch {
      return false; // the one that the list was read by
    }
  };
  const waiting = new RegExp(`^tfd:\\s+${fd} `, "m");
  const epolls = readdirSync("/proc/self/fd").filter(isEpoll);
  return epolls.filter((number) => waiting.test(readFileSync(`/proc/self/fdinfo/${number}`, "utf8"))).length;
}

kernelTest(
  "operation: watch for ended connections (HangUps.add) - an end, a reset and one from before, each once",
  async () => {
    await using stack = new AsyncDisposableStack();
    const told: bigint[] = [];
    using hangUps = new HangUps((cookie) => told.push(cookie));
    const [ended, reset, endedBefore] = [await pair(stack), await pair(stack), await pair(stack)];
    for (const { fd } of [ended, reset, endedBefore]) stack.defer(() => closeSync(fd));
    endedBefore.far.end();
    await sleep(20);
    hangUps.add(ended.fd, 1n);
    hangUps.add(reset.fd, 2n);
    hangUps.add(endedBefore.fd, 3n);
    await expect.poll(() => told).toEqual([3n]);
    ended.far.write("bytes that nobody reads");
    ended.far.end();
    await expect.poll(() => told).toEqual([3n, 1n]);
    reset.far.resetAndDestroy();
    await expect.poll(() => told).toEqual([3n, 1n, 2n]);
    await sleep(50);
    expect(told).toHaveLength(3);
  },
);

kernelTest("operation: not be woken by bytes (HangUps) - they tell nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const told: bigint[] = [];
  using hangUps = new HangUps((cookie) => told.push(cookie));
  const { fd, far } = await pair(stack);
  stack.defer(() => closeSync(fd));
  hangUps.add(fd, socketCookie(fd));
  far.write("bytes");
  await sleep(50);
  expect(told).toEqual([]);
  far.end();
  await expect.poll(() => told).toEqual([socketCookie(fd)]);
});

kernelTest(
  "operation: watch no longer for ended connections (HangUps.delete, HangUps.close) - not twice, and not after it was deleted, or all is closed",
  async () => {
    await using stack = new AsyncDisposableStack();
    const told: bigint[] = [];
    const hangUps = new HangUps((cookie) => told.push(cookie));
    const { fd, far } = await pair(stack);
    hangUps.add(fd, 1n);
    expect(() => hangUps.add(fd, 2n)).toThrow("EEXIST");
    hangUps.delete(fd);
    hangUps.delete(fd);
    far.end();
    await sleep(50);
    hangUps.add(fd, 3n);
    await expect.poll(() => told).toEqual([3n]);
    closeSync(fd);
    expect(() => hangUps.add(fd, 4n)).toThrow("EBADF");
    const other = await pair(stack);
    stack.defer(() => closeSync(other.fd));
    hangUps.add(other.fd, 5n);
    hangUps.close();
    hangUps.delete(other.fd);
    other.far.end();
    await sleep(50);
    expect(told).toEqual([3n]);
  },
);

kernelTest("operation: no longer be woken for a socket (leaveLoop) - until it is read again", async () => {
  await using stack = new AsyncDisposableStack();
  const { fd, far } = await pair(stack);
  const near = new Socket({ fd });
  stack.defer(() => void near.destroy());
  const read: string[] = [];
  near.on("data", (bytes: Buffer) => read.push(bytes.toString()));
  far.write("first");
  await expect.poll(() => read).toEqual(["first"]);
  expect(waitsOf(fd)).toBe(1);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- "pause" alone goes on until a buffer is full
  const handle = (near as unknown as { readonly ["_handle"]: { readStart(): void; readStop(): void } })[
    "_handle"
  ];
  handle.readStop();
  leaveLoop(fd);
  leaveLoop(fd);
  expect(waitsOf(fd)).toBe(0);
  far.write("second");
  await sleep(20);
  handle.readStart();
  await expect.poll(() => read).toEqual(["first", "second"]);
  expect(() => leaveLoop(0xffff)).toThrow("EBADF");
});
