import { countTryObjectPath } from "@keelson/bpf/object";
import { BpfObject } from "bpf-maps-native";
import { expect } from "vitest";
import { AnswerReader } from "./answer-reader.ts";
import { countAnswer, type TriedAnswer } from "./count-try.test-helper.ts";
import { kernelTest } from "./kernel.test-helper.ts";
import { bucketCount, bucketOf } from "./relay/process/latency-buckets.ts";

type Answer = Partial<TriedAnswer> & Pick<TriedAnswer, "service" | "status" | "microseconds">;

async function count(object: BpfObject, answers: readonly Answer[]): Promise<void> {
  for (const answer of answers) await countAnswer(object, { source: 1n, endpoint: 3n, ...answer });
}

async function loaded(): Promise<BpfObject> {
  const object = await BpfObject.open(countTryObjectPath);
  await object.load();
  return object;
}

kernelTest("answers are counted by edge, route and status class, with their bytes and times", async () => {
  using object = await loaded();
  using map = object.map("answers");
  const reader = new AnswerReader(map);
  expect(await reader.read()).toEqual([]);
  await count(object, [
    { service: 2n, status: 200, microseconds: 12, bytes: 100 },
    { service: 2n, status: 204, microseconds: 5_000, bytes: 20 },
    { service: 2n, status: 200, microseconds: 12, bytes: 3 },
    { service: 2n, status: 503, microseconds: 12, bytes: 4 },
    { service: 2n, route: 8n, status: 200, microseconds: 12 },
    { service: 7n, status: 999, microseconds: 0 },
  ]);
  const edge = { source: 1n, service: 2n, endpoint: 3n, route: 0n };
  const once = { latency: [bucketOf(12), 1], latencySumUs: 12n };
  const counted = await reader.read();
  expect(counted).toHaveLength(4);
  expect(counted).toEqual(
    expect.arrayContaining([
      {
        ...edge,
        statusClass: 2,
        requests: 3n,
        bytes: 123n,
        latency: [bucketOf(12), 2, bucketOf(5_000), 1],
        latencySumUs: 5_024n,
      },
      { ...edge, statusClass: 5, requests: 1n, bytes: 4n, ...once },
      { ...edge, route: 8n, statusClass: 2, requests: 1n, bytes: 0n, ...once },
      { ...edge, service: 7n, statusClass: 5, requests: 1n, bytes: 0n, latency: [0, 1], latencySumUs: 0n },
    ]),
  );
  await reader.prune(({ service }) => service === 7n);
  expect((await reader.read()).map(({ service }) => service)).toEqual([7n]);
});

kernelTest("programs put a time into the bucket that the relay puts it into", async () => {
  using object = await loaded();
  using map = object.map("answers");
  const powers = Array.from({ length: 33 }, (_, power) => 2 ** power);
  const times = powers.flatMap((power) => [power - 1, power, power + Math.floor(power / 3)]);
  await count(
    object,
    times.map((microseconds, i) => ({ service: BigInt(i), status: 200, microseconds })),
  );
  const counted = await new AnswerReader(map).read();
  const buckets = new Map(counted.map(({ service, latency }) => [Number(service), latency[0]]));
  expect(times.map((_, i) => buckets.get(i))).toEqual(times.map(bucketOf));
  expect(Math.max(...times.map(bucketOf))).toBe(bucketCount - 1);
});
