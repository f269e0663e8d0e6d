import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { mostPieces, PieceWriter } from "./piece-writer.ts";

test("short pieces stop whoever writes them, although Node would take more, until they are on their way", async () => {
  await using stack = new AsyncDisposableStack();
  const server = createServer({ highWaterMark: 1 << 30 }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const reader = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  const [writer] = (await once(server, "connection")) as [Socket];
  stack.defer(() => {
    reader.destroy();
    writer.destroy();
    server.close();
  });
  let drained = 0;
  const pieces = new PieceWriter(writer, () => drained++);
  // More than the kernel has room for.
  expect(pieces.write(Buffer.alloc(1 << 26))).toBe(true);
  let taken = 1;
  while (pieces.writeChunk(Buffer.from("x")) && taken < 2 * mostPieces) taken++;
  expect(taken).toBe(mostPieces - 1);
  expect(writer.writableNeedDrain).toBe(false);
  expect(drained).toBe(0);
  reader.resume();
  await expect.poll(() => drained).toBe(1);
  expect(writer.writableLength).toBe(0);
  expect(pieces.write(Buffer.from("x"))).toBe(true);
});
