import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { expect } from "vitest";
import { connectInNamespace, listenInNamespace } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeNamespace } from "./testing/places.ts";
import { collect, numbers, openProgram, u32 } from "./testing/programs.ts";

interface Pair {
  /** The caller's descriptor, to be put into maps; `caller` owns it. */
  fd: number;
  caller: Socket;
  peer: Socket;
}

/** Connections over the loopback of a namespace of their own. */
async function makePairs(stack: AsyncDisposableStack, count: number): Promise<Pair[]> {
  const space = stack.use(makeNamespace());
  const server = createServer();
  server.listen({ fd: await listenInNamespace(space.path, { address: "127.0.0.1", port: 0 }) });
  stack.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const fd = await connectInNamespace(space.path, { address: "127.0.0.1", port });
    const caller = new Socket({ fd });
    const [peer] = await accepted;
    stack.defer(() => {
      caller.destroy();
      peer.destroy();
    });
    pairs.push({ fd, caller, peer });
  }
  return pairs;
}

async function trafficObject(stack: AsyncDisposableStack) {
  const object = stack.use(await openProgram("traffic"));
  object.configureProgram("forward", { type: "sk_skb", expectedAttachType: "sk_skb_verdict" });
  await object.load();
  return object;
}

async function text(socket: Socket): Promise<string> {
  const [data] = (await once(socket, "data")) as [Buffer];
  return data.toString();
}

kernelTest("operation: sockhash - sockets go in by descriptor, are found, walked and deleted", async () => {
  await using stack = new AsyncDisposableStack();
  const object = await trafficObject(stack);
  const [first, second] = await makePairs(stack, 2);
  using sockets = object.map("sockets");
  sockets.setSocket(u32(1), first?.fd ?? -1);
  sockets.setSocket(u32(2), second?.fd ?? -1, "create");
  expect(() => {
    sockets.setSocket(u32(2), first?.fd ?? -1, "create");
  }).toThrow("EEXIST (17)");
  const cookies = [sockets.lookup(u32(1)), sockets.lookup(u32(2))];
  expect(cookies.map((cookie) => cookie?.byteLength)).toEqual([8, 8]);
  const found = await collect(sockets.entries());
  expect(found.map(({ value }) => value).toSorted(Buffer.compare)).toEqual(
    cookies.filter((cookie) => cookie !== undefined).toSorted(Buffer.compare),
  );
  expect([sockets.delete(u32(1)), sockets.delete(u32(1))]).toEqual([true, false]);
  expect(() => {
    sockets.setSocket(u32(3), 0xffff);
  }).toThrow("update map sockets with socket 65535: EBADF (9)");
});

kernelTest(
  "operation: attach sk_msg - a message the program drops fails with EACCES, others arrive",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = await trafficObject(stack);
    using program = object.program("filter_message");
    using sockets = object.map("sockets");
    const attachment = await program.attachSockmap(sockets);
    const [pair, late] = await makePairs(stack, 2);
    if (pair === undefined || late === undefined) throw new Error("no connections");
    sockets.setSocket(u32(1), pair.fd);
    pair.caller.write("Passed");
    expect(await text(pair.peer)).toBe("Passed");
    pair.caller.write("Dropped");
    const [error] = (await once(pair.caller, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("EACCES");
    expect(numbers(object.map("counters").lookup(u32(2)))).toEqual([2]);
    await attachment.detach();
    sockets.setSocket(u32(2), late.fd);
    late.caller.write("Delivered");
    expect(await text(late.peer)).toBe("Delivered");
    await expect(attachment.detach()).rejects.toThrow("is closed");
  },
);

kernelTest("operation: attach sk_skb - what arrives at one socket leaves by another", async () => {
  await using stack = new AsyncDisposableStack();
  const object = await trafficObject(stack);
  using program = object.program("forward");
  using pair = object.map("pair");
  await using _attachment = await program.attachSockmap(pair, "sk_skb_verdict");
  const [from, to] = await makePairs(stack, 2);
  if (from === undefined || to === undefined) throw new Error("no connections");
  pair.setSocket(u32(0), from.fd);
  pair.setSocket(u32(1), to.fd);
  from.peer.write("over");
  expect(await text(to.peer)).toBe("over");
  expect(numbers(object.map("counters").lookup(u32(3)))).toEqual([1]);
  await expect(program.attachSockmap(object.map("counters"), "sk_skb_verdict")).rejects.toThrow(
    /^attach program forward to map counters as sk_skb_verdict: (EINVAL|EOPNOTSUPP) /,
  );
});
