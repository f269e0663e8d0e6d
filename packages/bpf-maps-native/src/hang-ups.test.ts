import { once } from "node:events";
import { closeSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { HangUps, leaveLoop } from "./hang-ups.ts";
import { connectInNamespace } from "./namespace-sockets.ts";
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
  "operation: watch for ended connections (HangUps) - an end, a reset and one from before, each once",
  async () => {
    await using stack = new AsyncDisposableStack();
    using hangUps = new HangUps();
    const told: string[] = [];
    const [ended, reset, endedBefore] = [await pair(stack), await pair(stack), await pair(stack)];
    for (const { fd } of [ended, reset, endedBefore]) stack.defer(() => closeSync(fd));
    endedBefore.far.end();
    await sleep(20);
    hangUps.add(ended.fd, () => told.push("end"));
    hangUps.add(reset.fd, () => told.push("reset"));
    hangUps.add(endedBefore.fd, () => told.push("before"));
    await expect.poll(() => told).toEqual(["before"]);
    ended.far.write("bytes that nobody reads");
    ended.far.end();
    await expect.poll(() => told).toEqual(["before", "end"]);
    reset.far.resetAndDestroy();
    await expect.poll(() => told).toEqual(["before", "end", "reset"]);
    await sleep(50);
    expect(told).toHaveLength(3);
  },
);

kernelTest("operation: watch for ended connections (HangUps) - bytes tell nothing", async () => {
  await using stack = new AsyncDisposableStack();
  using hangUps = new HangUps();
  let told = 0;
  const { fd, far } = await pair(stack);
  stack.defer(() => closeSync(fd));
  hangUps.add(fd, () => told++);
  far.write("bytes");
  await sleep(50);
  expect(told).toBe(0);
  far.end();
  await expect.poll(() => told).toBe(1);
});

kernelTest(
  "operation: watch for ended connections (HangUps) - not twice, and not after it was ended",
  async () => {
    await using stack = new AsyncDisposableStack();
    using hangUps = new HangUps();
    const { fd, far } = await pair(stack);
    let told = 0;
    const end = hangUps.add(fd, () => expect.unreachable("it was ended"));
    expect(() => hangUps.add(fd, () => undefined)).toThrow("EEXIST");
    end();
    far.end();
    await sleep(50);
    const endAgain = hangUps.add(fd, () => told++);
    end(); // the descriptor is another one's now
    await expect.poll(() => told).toBe(1);
    closeSync(fd);
    endAgain();
    endAgain();
    expect(() => hangUps.add(fd, () => undefined)).toThrow("EBADF");
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
