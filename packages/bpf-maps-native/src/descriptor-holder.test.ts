import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, mkdtempSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { connect, createServer, type Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { DescriptorHolder, endHolder, tcpCounts } from "./descriptor-holder.ts";
import { makeSharedMemory, mapSharedMemory } from "./shared-memory.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { nextText, portOf } from "./testing/network.ts";

/** Where a test's holder listens; it ends with the stack. */
function placeOf(stack: AsyncDisposableStack): { path: string; patience: number } {
  const folder = mkdtempSync(join(tmpdir(), "keelson-holder-"));
  const path = join(folder, "holder.sock");
  stack.defer(() => {
    endHolder(path);
    rmSync(folder, { recursive: true });
  });
  return { path, patience: 20 };
}

/** Descriptor of what a server has accepted and does not read from, and its caller. */
async function accepted(stack: AsyncDisposableStack): Promise<{ fd: number; caller: Socket; peer: Socket }> {
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const caller = connect({ port: portOf(server), host: "127.0.0.1", allowHalfOpen: true });
  const [peer] = (await once(server, "connection")) as [Socket];
  server.close();
  stack.defer(() => {
    caller.destroy();
    peer.destroy();
  });
  const { fd } = (peer as unknown as { ["_handle"]: { fd: number } })["_handle"];
  return { fd, caller, peer };
}

kernelTest(
  "operation: hold descriptors (DescriptorHolder.open, DescriptorHolder.hold, DescriptorHolder.drop, DescriptorHolder.end, DescriptorHolder.close, endHolder) - a connection outlives the process that had it, which the next one is given with its note, until it is dropped",
  async () => {
    await using stack = new AsyncDisposableStack();
    const place = placeOf(stack);
    const script = `
      import { once } from "node:events";
      import { createServer } from "node:net";
      import { DescriptorHolder } from ${JSON.stringify(join(import.meta.dirname, "descriptor-holder.ts"))};
      const { holder } = await DescriptorHolder.open(${JSON.stringify(place)});
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      process.stdout.write(String(server.address().port));
      const [socket] = await once(server, "connection");
      holder.hold({ kind: 7, number: 1 }, socket._handle.fd, "the first");
      holder.hold({ kind: 7, number: 2 }, socket._handle.fd, "the same");
      holder.drop({ kind: 7, number: 2 });
      process.kill(process.pid, "SIGKILL");`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    const caller = connect({ port: Number(port), host: "127.0.0.1" });
    stack.defer(() => {
      caller.destroy();
    });
    await exited;
    expect(statSync(place.path).mode & 0o777).toBe(0o600);

    const { holder, held } = await DescriptorHolder.open(place);
    expect(held).toMatchObject([{ kind: 7, number: 1, note: "the first" }]);
    const socket = new Socket({ fd: held[0]?.fd ?? -1 });
    caller.write("hello");
    expect(await nextText(socket)).toBe("hello");
    socket.write("hello yourself");
    expect(await nextText(caller)).toBe("hello yourself");

    socket.destroy();
    await once(socket, "close");
    const ended = once(caller, "close");
    holder.drop({ kind: 7, number: 1 });
    await ended;
    holder.close();

    const next = await DescriptorHolder.open(place);
    expect(next.held).toEqual([]);
    next.holder.end();
    await expect.poll(() => endHolder(place.path)).toBe(false);
  },
);

kernelTest(
  "operation: count a connection's bytes (tcpCounts) - what was read and written of it, also with bytes that wait and behind the caller's last",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { fd, caller, peer } = await accepted(stack);
    expect(tcpCounts(fd)).toEqual({ read: 0, unread: 0, written: 0 });
    caller.write("12345");
    await expect.poll(() => caller.writableLength).toBe(0);
    expect(tcpCounts(fd)).toEqual({ read: 0, unread: 5, written: 0 });
    expect(readSync(fd, Buffer.alloc(3))).toBe(3);
    writeSync(fd, "123");
    expect(tcpCounts(fd)).toEqual({ read: 3, unread: 2, written: 3 });
    // More than the other end takes: some of it waits here.
    const written = 3 + writeSync(fd, Buffer.alloc(10_000_000));
    expect(tcpCounts(fd)).toEqual({ read: 3, unread: 2, written });
    caller.end("67");
    await once(caller, "finish");
    expect(tcpCounts(fd)).toEqual({ read: 3, unread: 4, written });
    expect(readSync(fd, Buffer.alloc(10))).toBe(4);
    expect(tcpCounts(fd)).toEqual({ read: 7, unread: 0, written });
    expect(readSync(fd, Buffer.alloc(10))).toBe(0);
    expect(tcpCounts(fd)).toEqual({ read: 7, unread: 0, written });
    peer.end();
    await once(peer, "finish");
    expect(tcpCounts(fd)).toBeUndefined();
  },
);

kernelTest(
  "operation: share memory (makeSharedMemory, mapSharedMemory) - what one mapping writes the other reads, after the descriptor is closed",
  () => {
    const fd = makeSharedMemory("keelson-test", 4096);
    expect(fstatSync(fd).size).toBe(4096);
    const [first, second] = [mapSharedMemory(fd, 4096), mapSharedMemory(fd, 4096)];
    closeSync(fd);
    new Float64Array(first)[3] = 2 ** 40;
    expect(new Float64Array(second)[3]).toBe(2 ** 40);
  },
);
