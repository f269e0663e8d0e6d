import { PassThrough } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { type ObservationLine, observationLines } from "@keelson/model/observation";
import { Carrier, ObservedRequestSchema } from "@keelson/protos/telemetry";
import { expect, test } from "vitest";
import { showLines } from "./show-lines.ts";

const request = create(ObservedRequestSchema, {
  seenAtUs: 1_767_268_801_234_000n,
  source: "shop/web",
  service: "reviews",
  port: 9080,
  endpoint: "10.0.0.1:8080",
  workload: "shop/reviews-v1",
  route: "canary",
  method: "GET",
  path: "/\u001b[2J",
  status: 200,
  durationUs: 1_250n,
  receivedBytes: 3n,
  carrier: Carrier.RELAY,
});
const unanswered = create(ObservedRequestSchema, {
  service: "r",
  port: 1,
  sentBytes: 70n,
  carrier: Carrier.NATIVE,
});

async function shown(
  input: string,
  flags: Partial<Parameters<typeof showLines>[1]> = {},
  withNode = false,
): Promise<{ text: string; warnings: string; isDone: boolean }> {
  const stream = new PassThrough();
  let text = "";
  let warnings = "";
  const output = {
    write: (more: string) => void (text += more),
    warn: (more: string) => void (warnings += more),
  };
  const done = showLines(stream, { output: "text", follow: true, for: 10, ...flags }, output, withNode);
  // In pieces, so that lines and characters are cut.
  for (const byte of Buffer.from(input)) stream.write(Buffer.of(byte));
  stream.end();
  return { isDone: await done, text, warnings };
}

const lines = observationLines("n1", [request, unanswered], 12);

test("rows, what was lost, and that nobody tells any more", async () => {
  const ended: ObservationLine = { node: "n1", ended: "it is not connected any more" };
  expect(await shown(`\n${lines}${JSON.stringify(ended)}\n`)).toEqual({
    isDone: false,
    warnings: "12 records lost\nnode n1 tells no more: it is not connected any more\nnobody tells any more\n",
    text: `TIME          FROM                          TO                                    STATUS  TOOK     ROUTE
12:00:01.234  shop/web                      reviews:9080                          200     1.3ms    canary
00:00:00.000  -                             r:1                                   -       -        -
`,
  });
});

test("wide, with nodes; what a caller sent does nothing to a terminal", async () => {
  const { text } = await shown(lines, { output: "wide" }, true);
  const [heading, first, second] = text.split("\n").map((line) => line.split(/ {2,}/));
  expect(heading?.slice(6)).toEqual(["REQUEST", "ENDPOINT", "POD", "SENT", "RECEIVED", "CARRIED BY", "NODE"]);
  expect(first?.slice(6)).toEqual([
    "GET /\\u{1b}[2J",
    "10.0.0.1:8080",
    "shop/reviews-v1",
    "0",
    "3",
    "relay",
    "n1",
  ]);
  expect(second?.slice(9)).toEqual(["70", "0", "kernel, natively", "n1"]);
});

test("JSON is passed on line by line", async () => {
  expect((await shown(lines, { output: "json" })).text).toBe(lines);
});

test("it ends after so many", async () => {
  const { isDone, text, warnings } = await shown(lines, { output: "json", limit: 1 });
  expect([isDone, warnings]).toEqual([true, ""]);
  expect(text.trimEnd().split("\n")).toHaveLength(1);
});

test("it ends when the time is over", async () => {
  const stream = new PassThrough();
  const output = { write: () => undefined, warn: () => undefined };
  expect(await showLines(stream, { output: "text", for: 0.1 }, output, false)).toBe(true);
  expect(stream.destroyed).toBe(true);
});
