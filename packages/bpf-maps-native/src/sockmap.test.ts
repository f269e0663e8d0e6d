import { expect } from "vitest";
import { socketCookie } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { connectTwice, nextErrorCode, nextText } from "./testing/network.ts";
import { collect, counter, loadTraffic, u32 } from "./testing/programs.ts";

const messages = 2;
const verdicts = 3;
const redirectKey = 9;

function byContent(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

kernelTest(
  "operation: sockhash (BpfMap.setSocket) - sockets go in by descriptor, are found, walked and deleted",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = await loadTraffic(stack, "redirect_key", redirectKey);
    const [first, second] = await connectTwice(stack);
    using sockets = object.map("sockets");
    sockets.setSocket(u32(1), first.fd);
    sockets.setSocket(u32(2), second.fd, "create");
    expect(() => {
      sockets.setSocket(u32(2), first.fd, "create");
    }).toThrow("EEXIST (17)");
    const cookies = [1, 2].flatMap((key) => sockets.lookup(u32(key)) ?? []);
    expect(cookies.map((cookie) => cookie.byteLength)).toEqual([8, 8]);
    const found = await collect(sockets.entries());
    expect(found.map(({ value }) => value).toSorted(byContent)).toEqual(cookies.toSorted(byContent));
    expect([sockets.delete(u32(1)), sockets.delete(u32(1))]).toEqual([true, false]);
    expect(() => {
      sockets.setSocket(u32(3), 0xffff);
    }).toThrow("update map sockets with socket 65535: EBADF (9)");
  },
);

kernelTest(
  "operation: cookie of a socket (socketCookie) - is what a sockhash says of it, and another one's is another",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = await loadTraffic(stack, "redirect_key", redirectKey);
    const [first, second] = await connectTwice(stack);
    using sockets = object.map("sockets");
    sockets.setSocket(u32(1), first.fd);
    const cookie = sockets.lookup(u32(1)) ?? new Uint8Array(8);
    expect(socketCookie(first.fd)).toBe(new DataView(cookie.buffer, cookie.byteOffset).getBigUint64(0, true));
    expect(socketCookie(second.fd)).not.toBe(socketCookie(first.fd));
    expect(() => socketCookie(0xffff)).toThrow("read cookie of socket 65535: EBADF (9)");
  },
);

kernelTest(
  "operation: attach sk_msg (BpfProgram.attachSockmap, Attachment.detach) - " +
    "messages are passed, dropped (EACCES), or put into another socket's receive queue",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = await loadTraffic(stack, "redirect_key", redirectKey);
    using program = object.program("steer_message");
    using sockets = object.map("sockets");
    const attachment = await program.attachSockmap(sockets);
    const [first, second] = await connectTwice(stack);
    sockets.setSocket(u32(1), first.fd);
    sockets.setSocket(u32(redirectKey), second.fd);
    first.caller.write("Passed");
    expect(await nextText(first.peer)).toBe("Passed");
    first.caller.write("Redirected");
    expect(await nextText(second.caller)).toBe("Redirected");
    first.caller.write("Passed again");
    expect(await nextText(first.peer)).toBe("Passed again");
    first.caller.write("Dropped");
    expect(await nextErrorCode(first.caller)).toBe("EACCES");
    expect(counter(object, messages)).toBe(4);
    await attachment.detach();
    await expect(attachment.detach()).rejects.toThrow("is closed");
  },
);

kernelTest("a detached sk_msg program reaches no socket that comes later", async () => {
  await using stack = new AsyncDisposableStack();
  const object = await loadTraffic(stack, "redirect_key", redirectKey);
  using program = object.program("steer_message");
  using sockets = object.map("sockets");
  const attachment = await program.attachSockmap(sockets);
  await attachment.detach();
  const [{ fd, caller, peer }] = await connectTwice(stack);
  sockets.setSocket(u32(1), fd);
  caller.write("Delivered");
  expect(await nextText(peer)).toBe("Delivered");
  expect(counter(object, messages)).toBe(0);
});

kernelTest(
  "operation: attach sk_skb (BpfProgram.attachSockmap) - what arrives at one socket leaves by another, or is dropped",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = await loadTraffic(stack, "redirect_key", redirectKey);
    using program = object.program("forward");
    using pair = object.map("pair");
    stack.use(await program.attachSockmap(pair, "sk_skb_verdict"));
    const [from, to] = await connectTwice(stack);
    pair.setSocket(u32(0), from.fd);
    pair.setSocket(u32(1), to.fd);
    from.peer.write("Forwarded");
    expect(await nextText(to.peer)).toBe("Forwarded");
    from.peer.write("Dropped");
    await expect.poll(() => counter(object, verdicts)).toBe(2);
    from.peer.write("Forwarded again");
    expect(await nextText(to.peer)).toBe("Forwarded again");
    await expect(program.attachSockmap(object.map("counters"), "sk_skb_verdict")).rejects.toThrow(
      /^attach program forward to map counters as sk_skb_verdict: (EINVAL|EOPNOTSUPP) /,
    );
  },
);

kernelTest("an attachment that is closed leaves its program; disposing it then does nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const object = await loadTraffic(stack, "redirect_key", redirectKey);
  using program = object.program("steer_message");
  using sockets = object.map("sockets");
  {
    await using attachment = await program.attachSockmap(sockets);
    attachment.close();
    attachment.close();
  }
  const [{ fd, caller }] = await connectTwice(stack);
  sockets.setSocket(u32(1), fd);
  caller.write("Dropped");
  expect(await nextErrorCode(caller)).toBe("EACCES");
});
