import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { expect } from "vitest";
import { type PumpEnd, SocketPump } from "./socket-pump.ts";
import { kernelTest } from "./testing/kernel-test.ts";

/** Two ends of a TCP connection on loopback; Node reads from neither by itself. */
async function pair(stack: AsyncDisposableStack): Promise<{ near: Socket; far: Socket; fd: number }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const far = connect({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  const [near] = await accepted;
  server.close();
  for (const socket of [near, far]) {
    socket.on("error", () => undefined); // tests look at how it ends
    stack.defer(() => void socket.destroy());
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node does not tell a socket's descriptor otherwise
  const { fd } = (near as unknown as { readonly ["_handle"]: { readonly fd: number } })["_handle"];
  return { near, far, fd };
}

function pumped(from: number, to: number, length: number): { pump: SocketPump; end: Promise<PumpEnd> } {
  const { promise, resolve } = Promise.withResolvers<PumpEnd>();
  return { pump: new SocketPump(from, to, length, resolve), end: promise };
}

const bytes = Buffer.from(Uint8Array.from({ length: 5_000_003 }, (_, at) => (at * 7) >> 3));

async function read(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let come = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    come += (chunk as Buffer).length;
    if (come >= length) break;
  }
  return Buffer.concat(chunks);
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;

kernelTest(
  "operation: carry bytes between sockets (SocketPump) - all arrive, at times and at a slow reader, and what is behind them stays",
  async () => {
    await using stack = new AsyncDisposableStack();
    const [source, target] = [await pair(stack), await pair(stack)];
    const before = descriptors();
    const { pump, end } = pumped(source.fd, target.fd, bytes.length);
    source.far.write(bytes.subarray(0, 1));
    await expect.poll(() => pump.moved).toBe(1);
    source.far.write(bytes.subarray(1));
    source.far.write("more");
    // Nobody reads: it stands still when the kernel's buffers are full.
    let stood = -1;
    await expect
      .poll(() => {
        const same = pump.moved === stood;
        stood = pump.moved;
        return same;
      })
      .toBe(true);
    expect((await read(target.far, bytes.length)).equals(bytes)).toBe(true);
    expect(await end).toEqual({ moved: bytes.length, how: "whole", errno: 0, more: true });
    expect(pump.moved).toBe(bytes.length);
    await expect.poll(descriptors).toBe(before);
    source.near.resume();
    expect((await read(source.near, 4)).toString()).toBe("more");
  },
);

kernelTest(
  "operation: ends of a pump (SocketPump) - a source that ends or is reset and a target that goes are told, with the bytes that arrived",
  async () => {
    await using stack = new AsyncDisposableStack();
    const [ending, reset, target, going] = await Promise.all([1, 2, 3, 4].map(() => pair(stack)));
    if (!ending || !reset || !target || !going) throw new Error("a pair is missing");
    const short = pumped(ending.fd, target.fd, 10);
    ending.far.end("four");
    expect(await short.end).toEqual({ moved: 4, how: "source", errno: 0, more: false });
    const broken = pumped(reset.fd, target.fd, 10);
    reset.far.resetAndDestroy();
    expect(await broken.end).toEqual({ moved: 0, how: "source", errno: 104, more: false });
    const another = await pair(stack);
    const gone = pumped(another.fd, going.fd, bytes.length);
    going.far.resetAndDestroy();
    another.far.write(bytes);
    expect(await gone.end).toMatchObject({ how: "target", more: false });
  },
);

kernelTest(
  "operation: close a pump (SocketPump.moved, SocketPump.close) - it tells what arrived, calls nobody, and gives its descriptors back",
  async () => {
    await using stack = new AsyncDisposableStack();
    const [source, target] = [await pair(stack), await pair(stack)];
    const before = descriptors();
    const pump = new SocketPump(source.fd, target.fd, 10, () => {
      throw new Error("it was closed");
    });
    source.far.write("four");
    await expect.poll(() => pump.moved).toBe(4);
    expect(pump.close()).toBe(4);
    expect(pump.close()).toBe(4);
    source.far.write("more");
    await expect.poll(descriptors).toBe(before);
    source.near.resume();
    expect((await read(source.near, 4)).toString()).toBe("more");
  },
);

kernelTest("a pump refuses a length that is none, and what is no descriptor", () => {
  const nobody = (): void => undefined;
  for (const length of [0, -1, 1.5, Number.NaN]) {
    expect(() => new SocketPump(0, 1, length, nobody)).toThrow(
      `length must be 1 or more bytes, found ${length}`,
    );
  }
  expect(() => new SocketPump(1_000_000, 1, 1, nobody)).toThrow("pump descriptor to read: EBADF (9)");
});
