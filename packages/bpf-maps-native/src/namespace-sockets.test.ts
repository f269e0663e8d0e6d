import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { type AddressInfo, createServer, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { connectInNamespace, datagramInNamespace, listenInNamespace } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeNamespace } from "./testing/places.ts";
import { openProgram } from "./testing/programs.ts";

async function greetingServer(stack: AsyncDisposableStack, netnsPath: string, address: string) {
  const server = createServer((socket) => socket.end(`hello ${socket.remoteAddress ?? ""}`));
  server.listen({ fd: await listenInNamespace(netnsPath, { address, port: 0, backlog: 16 }) });
  stack.defer(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function greeting(fd: number): Promise<string> {
  const socket = new Socket({ fd });
  const [data] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return data.toString();
}

kernelTest(
  "operation: connect in a namespace - reaches a server there, from the address asked for",
  async () => {
    await using stack = new AsyncDisposableStack();
    const space = stack.use(makeNamespace());
    const own = readlinkSync("/proc/self/ns/net");
    for (const [address, sourceAddress] of [
      ["127.0.0.1", "127.0.0.5"],
      ["::1", "::1"],
    ] as const) {
      const port = await greetingServer(stack, space.path, address);
      expect(await greeting(await connectInNamespace(space.path, { address, port, sourceAddress }))).toBe(
        `hello ${sourceAddress}`,
      );
      // The same address in this process's own namespace is another machine's, so to say.
      await expect(connectInNamespace(undefined, { address, port })).rejects.toMatchObject({
        code: expect.stringMatching(/ECONNREFUSED|EADDRNOTAVAIL/) as string,
        operation: "connect",
      });
    }
    expect(readlinkSync("/proc/self/ns/net")).toBe(own);
  },
);

kernelTest(
  "operation: listen in a namespace - and the address in use is an error with its name",
  async () => {
    await using stack = new AsyncDisposableStack();
    const space = stack.use(makeNamespace());
    const port = await greetingServer(stack, space.path, "127.0.0.1");
    await expect(listenInNamespace(space.path, { address: "127.0.0.1", port })).rejects.toThrow(
      `listen 127.0.0.1:${String(port)} in ${space.path}: EADDRINUSE (98)`,
    );
    await expect(listenInNamespace("/run/netns/none", { address: "127.0.0.1", port })).rejects.toThrow(
      "listen network namespace /run/netns/none: ENOENT (2)",
    );
    await expect(listenInNamespace(space.path, { address: "localhost", port })).rejects.toThrow(
      "must be an IPv4 or IPv6 address",
    );
  },
);

kernelTest("operation: datagram socket in a namespace - sends and receives there", async () => {
  using space = makeNamespace();
  const socket = createSocket("udp4");
  const fd = await datagramInNamespace(space.path, { address: "127.0.0.1", port: 5353 });
  const listening = once(socket, "listening"); // with a descriptor it comes within bind
  socket.bind({ fd });
  await listening;
  socket.send("to itself", 5353, "127.0.0.1");
  const [message] = (await once(socket, "message")) as [Buffer];
  expect(message.toString()).toBe("to itself");
  socket.close();
});

kernelTest("a connection that nobody answers ends by its timeout and leaves no descriptor", async () => {
  using space = makeNamespace();
  using object = await openProgram("traffic");
  object.setReadOnlyData("dropped_port", 9999);
  object.configureProgram("forward", { autoload: false });
  await object.load();
  using program = object.program("drop_datagram"); // ports stand at the same place in TCP
  await using _filter = await program.attachClsact("lo", "ingress", { netnsPath: space.path });
  const before = readdirSync("/proc/self/fd").length;
  const call = connectInNamespace(space.path, { address: "127.0.0.1", port: 9999, timeoutMs: 50 });
  await expect(call).rejects.toMatchObject({ code: "ETIMEDOUT", errno: 110 });
  await setImmediate();
  await setImmediate(); // libuv lets go at the end of a turn
  expect(readdirSync("/proc/self/fd")).toHaveLength(before);
});
