import fc from "fast-check";
import { expect, test } from "vitest";
import { framed } from "../testing/raw-call.ts";
import { MessageMeter } from "./message-meter.ts";

test("messages are counted however they are cut into pieces", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (all, sizes) => {
      const bytes = Buffer.concat(all.map((message) => framed(message)));
      const meter = new MessageMeter();
      for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
        const size = sizes[piece % sizes.length] ?? 1;
        meter.take(bytes.subarray(at, at + size));
        at += size;
      }
      expect(meter).toMatchObject({ whole: all.length, unfinished: 0 });
    }),
  );
});

test("what is there of a message counts until it is whole, and more in small pieces", () => {
  const [large, small] = [new MessageMeter(), new MessageMeter()];
  const half = framed(Buffer.alloc(1_000), 2_000);
  large.take(half);
  expect(large.whole).toBe(0);
  expect(large.unfinished).toBeGreaterThanOrEqual(1_005);
  for (const byte of half) small.take(Uint8Array.of(byte));
  expect(small.unfinished).toBeGreaterThan(100 * large.unfinished);
  large.take(Buffer.alloc(1_000));
  expect(large).toMatchObject({ whole: 1, unfinished: 0 });
});
