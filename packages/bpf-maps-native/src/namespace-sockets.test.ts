import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readdirSync, readlinkSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import {
  connectInNamespace,
  descriptorOf,
  listenInNamespace,
  networkCookie,
  setSendBuffer,
} from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { bindInNamespace, nextText, portOf, serveInNamespace } from "./testing/network.ts";
import { makeCgroup, makeNamespace } from "./testing/places.ts";
import { startInside } from "./testing/processes.ts";
import { openProgram } from "./testing/programs.ts";

/** The port of a server that tells callers where they come from. */
async function greet(stack: AsyncDisposableStack, netnsPath: string, address: string): Promise<number> {
  const server = await serveInNamespace(stack, netnsPath, { address }, (socket) =>
    socket.end(`hello ${socket.remoteAddress ?? ""}`),
  );
  return portOf(server);
}

async function greeting(fd: number): Promise<string> {
  const socket = new Socket({ fd });
  const text = await nextText(socket);
  socket.destroy();
  return text;
}

kernelTest(
  "operation: connect in a namespace (connectInNamespace) - reaches a server there, from the address asked for",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(makeNamespace());
    const own = readlinkSync("/proc/self/ns/net");
    for (const [address, sourceAddress] of [
      ["127.0.0.1", "127.0.0.5"],
      ["::1", "::1"],
    ] as const) {
      const port = await greet(stack, path, address);
      expect(await greeting(await connectInNamespace(path, { address, port, sourceAddress }))).toBe(
        `hello ${sourceAddress}`,
      );
      // The same address in this process's own namespace is another machine's, so to say.
      await expect(connectInNamespace(undefined, { address, port })).rejects.toThrow(
        /^connect .*: (ECONNREFUSED|EADDRNOTAVAIL) /,
      );
    }
    expect(readlinkSync("/proc/self/ns/net")).toBe(own);
  },
);

kernelTest(
  "operation: listen in a namespace (listenInNamespace) - and the address in use is an error with its name",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(makeNamespace());
    const port = await greet(stack, path, "127.0.0.1");
    await expect(listenInNamespace(path, { address: "127.0.0.1", port })).rejects.toThrow(
      `listen 127.0.0.1:${String(port)} in ${path}: EADDRINUSE (98)`,
    );
    await expect(listenInNamespace("/run/netns/none", { address: "127.0.0.1", port })).rejects.toThrow(
      "listen network namespace /run/netns/none: ENOENT (2)",
    );
    await expect(listenInNamespace(path, { address: "localhost", port })).rejects.toThrow(
      "must be an IPv4 or IPv6 address",
    );
  },
);

kernelTest(
  "operation: datagram socket in a namespace (datagramInNamespace) - sends and receives there",
  async () => {
    using space = makeNamespace();
    const socket = await bindInNamespace(space.path, 5353);
    socket.send("to itself", 5353, "127.0.0.1");
    expect(await nextText(socket)).toBe("to itself");
    socket.close();
  },
);

kernelTest("a connection that nobody answers ends by its timeout and leaves no descriptor", async () => {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(makeNamespace());
  const object = stack.use(await openProgram("traffic"));
  object.setReadOnlyData("watched_port", 9999);
  object.configureProgram("forward", { autoload: false });
  await object.load();
  using program = object.program("watch_packet"); // ports stand at the same place in TCP
  stack.use(await program.attachClsact("lo", "ingress", { netnsPath: path }));
  const before = readdirSync("/proc/self/fd").length;
  const call = connectInNamespace(path, { address: "127.0.0.1", port: 9999, timeoutMs: 50 });
  await expect(call).rejects.toMatchObject({ code: "ETIMEDOUT", errno: 110 });
  await setImmediate();
  await setImmediate(); // libuv lets go at the end of a turn
  expect(readdirSync("/proc/self/fd")).toHaveLength(before);
});

kernelTest(
  "operation: copy another process's descriptor (descriptorOf) - what is written to the copy arrives there",
  async () => {
    const other = spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
    const { pid = 0 } = other;
    expect(pid).toBeGreaterThan(0);
    const copy = descriptorOf(pid, 1);
    try {
      const said = once(other.stdout, "data");
      writeSync(copy, "through the copy");
      expect(String((await said)[0])).toBe("through the copy");
      expect(() => descriptorOf(pid, 0xffff)).toThrow(
        `copy descriptor 65535 of process ${String(pid)}: EBADF (9)`,
      );
    } finally {
      closeSync(copy);
      other.stdin.end();
    }
    await once(other, "exit");
    expect(() => descriptorOf(pid, 1)).toThrow(`copy descriptor 1 of process ${String(pid)}: ESRCH (3)`);
  },
);

/** Prints what comes of dialling a port of its own that nobody listens on. */
const dialNobody = `import net from "node:net";
net.connect(1, "127.0.0.1").on("error", (error) => console.log(error.code));`;

kernelTest(
  "operation: cookie of the network namespace (networkCookie) - is what programs know its calls by, from within or by its path",
  async () => {
    await using stack = new AsyncDisposableStack();
    const space = stack.use(makeNamespace());
    const cgroup = stack.use(makeCgroup());
    const object = stack.use(await openProgram("traffic"));
    expect(networkCookie("/proc/self/ns/net")).toBe(networkCookie());
    expect(networkCookie(space.path)).not.toBe(networkCookie());
    object.setReadOnlyData("network", networkCookie());
    object.configureProgram("forward", { type: "sk_skb", expectedAttachType: "sk_skb_verdict" });
    await object.load();
    using program = object.program("refuse_other_networks");
    stack.use(await program.attachCgroup(cgroup.path));
    const dial = async (netns?: string) => {
      const caller = startInside(
        { cgroup: cgroup.path, ...(netns === undefined ? {} : { netns }) },
        dialNobody,
      );
      const answer = await caller.readLine();
      expect(await caller.end()).toBe(0);
      return answer;
    };
    expect(await dial()).toBe("ECONNREFUSED");
    expect(await dial(space.name)).toBe("EPERM");
  },
);

/** How much a socket takes for a peer that does not read. */
function fill(fd: number): number {
  const piece = new Uint8Array(65_536);
  for (let bytes = 0; ; ) {
    try {
      bytes += writeSync(fd, piece);
    } catch (error) {
      expect(error).toMatchObject({ code: "EAGAIN" });
      return bytes;
    }
  }
}

/** How much that is not yet sent sockets of the network may have, in bytes, unless they say otherwise. */
function boundUnsent(netns: string, bytes: number): void {
  const write = `echo ${String(bytes)} > /proc/sys/net/ipv4/tcp_notsent_lowat`;
  execFileSync("ip", ["netns", "exec", netns, "sh", "-c", write]);
}

kernelTest(
  "operation: room for what a socket sends (setSendBuffer) - so much more is taken for a peer that does not read",
  async () => {
    await using stack = new AsyncDisposableStack();
    const space = stack.use(makeNamespace());
    const { path } = space;
    const server = await serveInNamespace(stack, path, { address: "127.0.0.1" }, (socket) => socket.pause());
    const taken = [];
    for (const bytes of [1, 1 << 25, 1 << 25]) {
      // The last one in a network whose sockets are to have little that is not yet sent.
      if (taken.length === 2) boundUnsent(space.name, 4096);
      const fd = await connectInNamespace(path, { address: "127.0.0.1", port: portOf(server) });
      stack.defer(() => {
        closeSync(fd);
      });
      setSendBuffer(fd, bytes);
      taken.push(fill(fd));
    }
    expect(taken[1]).toBeGreaterThan((taken[0] ?? 0) + (1 << 24));
    expect(taken[2]).toBeGreaterThan((taken[0] ?? 0) + (1 << 24));
    expect(() => {
      setSendBuffer(0xffff, 1);
    }).toThrow("set send buffer of socket 65535: EBADF (9)");
  },
);
