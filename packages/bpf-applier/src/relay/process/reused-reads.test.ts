import type { Socket } from "node:net";
import { expect, test } from "vitest";
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
  await expect.poll(() => seen).toBe(slowly.length);
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
