import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { ReusedReads } from "./reused-reads.ts";
import { listening, RelayWorld, rawServer, setName } from "./testing/relay-world.ts";

const requestFor = (number: number): string => `GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** No other has the same bytes. */
function answerTo(number: number): Buffer {
  const body = Buffer.alloc(20_000 + 1_009 * (number % 60), `${number}.`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]);
}

const answersTo = (numbers: readonly number[]): Buffer => Buffer.concat(numbers.map(answerTo));

/** Answers in two pieces, cut in its head or in its body. */
function answer(socket: Socket, number: number): void {
  const bytes = answerTo(number);
  const cut = number % 2 === 0 ? number % 40 : (number * 7_919) % bytes.length;
  socket.write(bytes.subarray(0, cut));
  // A turn of the loop lies between the two, in which the first one is read.
  setImmediate(() => setImmediate(() => socket.write(bytes.subarray(cut))));
}

/** What comes next to a caller. */
async function next(caller: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let come = 0;
  for await (const chunk of caller) {
    chunks.push(chunk as Buffer);
    come += (chunk as Buffer).length;
    if (come >= length) break;
  }
  return Buffer.concat(chunks);
}

test("answers that a caller does not take yet stay as they are while others are read", async () => {
  await using stack = new AsyncDisposableStack();
  let seen = 0;
  const port = await listening(
    stack,
    rawServer((socket) => {
      socket.on("data", (chunk: Buffer) => {
        seen++;
        answer(socket, Number(/^GET \/(\d+) /.exec(chunk.toString("latin1"))?.[1]));
      });
      socket.on("end", () => socket.end());
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const [slow, quick] = [await world.call(), await world.call()];
  // 12 MB of answers, more than the kernel takes for one that does not read.
  const slowly = Array.from({ length: 250 }, (_, at) => at);
  slow.pause();
  slow.write(slowly.map(requestFor).join(""));
  // The relay asks for no more once it holds what the kernel does not take.
  let before = 0;
  const standsStill = (): boolean => before === (before = seen) && seen > 0;
  await expect.poll(standsStill, { interval: 100, timeout: 10_000 }).toBe(true);
  expect(seen).toBeLessThan(slowly.length);
  const quickly = Array.from({ length: 100 }, (_, at) => 1_000 + at);
  quick.write(quickly.map(requestFor).join(""));
  for (const [caller, numbers] of [
    [quick, quickly],
    [slow, slowly],
  ] as const) {
    const wanted = answersTo(numbers);
    expect((await next(caller, wanted.length)).equals(wanted)).toBe(true);
  }
});

/** A connection whose reads are `reads`, and its server's end, which sends pieces that are read one by one. */
async function readingConnection(
  stack: AsyncDisposableStack,
): Promise<{ reads: ReusedReads; socket: Socket; send: (piece: Buffer) => Promise<void> }> {
  const { promise: accepted, resolve: accept } = Promise.withResolvers<Socket>();
  const port = await listening(stack, rawServer(accept));
  const reads = new ReusedReads();
  const socket = connect({ port, host: "127.0.0.1", onread: reads.onread });
  stack.defer(() => void socket.destroy());
  await once(socket, "connect");
  const server = await accepted;
  const send = async (piece: Buffer): Promise<void> => {
    const wanted = socket.bytesRead + piece.length;
    server.write(piece);
    while (socket.bytesRead < wanted) await new Promise(setImmediate);
  };
  return { reads, socket, send };
}

/** Bytes that cannot go while these are kept. */
const heldBy = (kept: readonly Buffer[]): number =>
  [...new Set(kept.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);

/** What a slow receiver may have waiting, in small messages, no two alike. */
const messages = Array.from({ length: 2_600 }, (_, at) => Buffer.alloc(100, `${at}.`));
const large = Buffer.alloc(1_000_000, "large");

test.each([
  ["at first", false],
  ["behind large ones", true],
])("many small reads that are kept hold little more than their own bytes, %s", async (_, isGrown) => {
  await using stack = new AsyncDisposableStack();
  const { reads, send } = await readingConnection(stack);
  reads.onBytes = () => true;
  if (isGrown) await send(large);
  const kept: Buffer[] = [];
  reads.onBytes = (bytes) => {
    kept.push(bytes);
    return false;
  };
  for (const message of messages) await send(message);
  expect(Buffer.concat(kept).equals(Buffer.concat(messages))).toBe(true);
  expect(kept.length).toBeGreaterThan(messages.length / 2);
  expect(heldBy(kept)).toBeLessThan(400_000);
});

test("small reads that wait in a connection's stream hold little more than their own bytes", async () => {
  await using stack = new AsyncDisposableStack();
  const { reads, socket, send } = await readingConnection(stack);
  socket.pause();
  reads.toStream(socket);
  socket.resume();
  const kept: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => kept.push(bytes));
  for (const message of messages) await send(message);
  expect(Buffer.concat(kept).equals(Buffer.concat(messages))).toBe(true);
  expect(heldBy(kept)).toBeLessThan(400_000);
});

test("a reader that keeps up has one buffer; a larger one while reads are large", async () => {
  await using stack = new AsyncDisposableStack();
  const { reads, send } = await readingConnection(stack);
  let buffers = new Set<ArrayBufferLike>();
  reads.onBytes = ({ buffer }) => {
    buffers.add(buffer);
    return true;
  };
  const sizes = (): number[] => [...buffers].map(({ byteLength }) => byteLength);
  const some = messages.slice(0, 500);
  for (const message of some) await send(message);
  expect(sizes()).toEqual([16_384]);
  await send(large);
  expect(sizes()).toEqual([16_384, 32_768, 65_536]);
  for (const message of some) await send(message);
  expect(sizes()).toEqual([16_384, 32_768, 65_536, 16_384]);
  buffers = new Set();
  for (const message of some) await send(message);
  expect(sizes()).toEqual([16_384]);
});

test("a reader that keeps up again leaves what is left of a buffer once it is filled", async () => {
  await using stack = new AsyncDisposableStack();
  const { reads, send } = await readingConnection(stack);
  const lengths: number[] = [];
  const kept: Buffer[] = [];
  reads.onBytes = (bytes) => {
    kept.push(bytes);
    return false;
  };
  await send(Buffer.alloc(10_000, "kept"));
  const copy = Buffer.concat(kept);
  reads.onBytes = ({ length }) => {
    lengths.push(length);
    return true;
  };
  await send(large);
  expect(Math.max(...lengths)).toBeGreaterThan(16_384);
  expect(Buffer.concat(kept).equals(copy)).toBe(true);
});
