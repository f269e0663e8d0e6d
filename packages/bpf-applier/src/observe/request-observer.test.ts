import { observation } from "@keelson/bpf";
import { countTryObjectPath } from "@keelson/bpf/object";
import { Carrier, type ObservedRequest } from "@keelson/protos/telemetry";
import { BpfObject } from "bpf-maps-native";
import { expect, test } from "vitest";
import { countAnswer, countRequest } from "../count-try.test-helper.ts";
import { EdgeNames } from "../edge-names.ts";
import { readStatistic } from "../edge-reader.ts";
import { kernelTest } from "../kernel.test-helper.ts";
import { workloadIdentifier } from "../pods/pod-map.ts";
import type { RelayObservation, RelayRequest } from "../relay/relay.ts";
import type { Named } from "../service-table.ts";
import { RequestObserver } from "./request-observer.ts";

const address = "10.0.0.1:9080";
const names = new EdgeNames();
names.learn(
  new Map<bigint, Named>([
    [2n, { kind: "service", hostname: "reviews.shop.svc.cluster.local", port: 9080 }],
    [3n, { kind: "endpoint", address, workload: "shop/reviews-v1", labels: [] }],
  ]),
);
names.learnWorkloads(["shop/web"]);

const edge = { source: workloadIdentifier("shop/web"), service: 2n, endpoint: 3n };
const all = { every: 1, from: "", to: "", status: "", route: "" };

const relayRequest = (part: Partial<RelayRequest> = {}): RelayRequest => ({
  endedAt: 1_000,
  workload: edge.source,
  service: edge.service,
  endpoint: address,
  route: "canary",
  method: "GET",
  path: "/?a",
  status: 404,
  microseconds: 12.4,
  bytesSent: 1,
  bytesReceived: 2,
  ...part,
});

/** A relay that a test speaks for. */
class Relay {
  wanted: RelayObservation | undefined;

  observe(wanted: RelayObservation | undefined): Promise<void> {
    this.wanted = wanted;
    return Promise.resolve();
  }
}

class Seen {
  readonly requests: ObservedRequest[] = [];
  lost = 0;

  readonly sink = (requests: readonly ObservedRequest[], lost: number): void => {
    this.requests.push(...requests);
    this.lost += lost;
  };

  get statuses(): number[] {
    return this.requests.map(({ status }) => status);
  }
}

const fail = (error: Error): never => {
  throw error;
};

/** Programs that have seen nothing, and an observer of theirs. */
async function watching(stack: AsyncDisposableStack, records: { readonly maxEntries?: number } = {}) {
  const object = stack.use(await BpfObject.open(countTryObjectPath));
  object.configureMap("records", records);
  await object.load();
  const maps = {
    observation: stack.use(object.map("observation")),
    records: stack.use(object.map("records")),
    statistics: stack.use(object.map("statistics")),
  };
  const observer = new RequestObserver({ names, maps, onError: fail });
  return { object, switches: maps.observation, statistics: maps.statistics, observer };
}

kernelTest(
  "requests that programs see are shown to who wants them, and cost nothing when nobody does",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { object, switches, observer } = await watching(stack);
    const isOn = (): boolean =>
      observation.decode(switches.lookup(new Uint8Array(4)) ?? new Uint8Array()).until !== 0n;
    await countAnswer(object, { ...edge, status: 500, microseconds: 1 });
    const [everything, failures] = [new Seen(), new Seen()];
    const ends = [
      observer.observe(all, everything.sink),
      observer.observe({ ...all, status: "5xx" }, failures.sink),
    ];
    expect(isOn()).toBe(true);
    const before = BigInt(Date.now()) * 1000n;
    await countRequest(object, { ...edge, bytes: 70 });
    await countAnswer(object, { ...edge, status: 200, microseconds: 8, bytes: 100 });
    await countAnswer(object, { ...edge, status: 503, microseconds: 8 });
    await expect.poll(() => everything.statuses).toEqual([0, 200, 503]);
    await expect.poll(() => failures.statuses).toEqual([503]);
    const ofEdge = { source: "shop/web", port: 9080, endpoint: address, workload: "shop/reviews-v1" };
    expect(everything.requests).toMatchObject([
      { ...ofEdge, sentBytes: 70n, receivedBytes: 0n, carrier: Carrier.NATIVE },
      { ...ofEdge, sentBytes: 0n, receivedBytes: 100n, durationUs: 8n, carrier: Carrier.SWITCHED },
      { ...ofEdge, carrier: Carrier.SWITCHED },
    ]);
    const at = everything.requests[0]?.seenAtUs ?? 0n;
    expect(at >= before - 1_000_000n && at <= BigInt(Date.now()) * 1000n + 1_000_000n).toBe(true);
    for (const end of ends) end();
    expect(isOn()).toBe(false);
    await countAnswer(object, { ...edge, status: 500, microseconds: 1 });
    const later = new Seen();
    observer.observe(all, later.sink);
    await countAnswer(object, { ...edge, status: 201, microseconds: 1 });
    await expect.poll(() => later.statuses).toEqual([201]);
    observer.close();
    expect(isOn()).toBe(false);
  },
);

kernelTest("what is not read in time is lost, and all of it is counted", async () => {
  await using stack = new AsyncDisposableStack();
  const { object, statistics, observer } = await watching(stack, { maxEntries: 65_536 });
  const seen = new Seen();
  observer.observe(all, seen.sink);
  const requests = 50_000;
  await countAnswer(object, { ...edge, status: 200, microseconds: 1 }, requests);
  await expect.poll(() => seen.requests.length + seen.lost).toBe(requests);
  expect(seen.lost).toBeGreaterThan(0);
  expect(BigInt(seen.lost)).toBe(readStatistic(statistics, "lost_records"));
  observer.close();
});

kernelTest("an observation that has run out costs nothing, though nobody has ended it", async () => {
  await using stack = new AsyncDisposableStack();
  const { object, switches, observer } = await watching(stack);
  switches.update(new Uint8Array(4), observation.encode({ until: process.hrtime.bigint() - 1n, every: 1 }));
  await countAnswer(object, { ...edge, status: 200, microseconds: 1 });
  const seen = new Seen();
  observer.observe(all, seen.sink);
  await countAnswer(object, { ...edge, status: 201, microseconds: 1 });
  await expect.poll(() => seen.statuses).toEqual([201]);
  observer.close();
});

test("requests of the relay are shown with what it knows of them", () => {
  const relay = new Relay();
  const observer = new RequestObserver({ names, relay, onError: fail });
  expect(relay.wanted).toBeUndefined();
  const seen = new Seen();
  const end = observer.observe({ ...all, route: "canary" }, seen.sink);
  relay.wanted?.onRequests({ requests: [relayRequest(), relayRequest({ route: "other" })], lost: 3 });
  expect(seen.lost).toBe(3);
  expect(seen.requests).toMatchObject([
    {
      seenAtUs: 1_000_000n,
      source: "shop/web",
      service: "reviews.shop.svc.cluster.local",
      workload: "shop/reviews-v1",
      route: "canary",
      method: "GET",
      path: "/?a",
      status: 404,
      durationUs: 12n,
      carrier: Carrier.RELAY,
    },
  ]);
  end();
  expect(relay.wanted).toBeUndefined();
});

test("who wants most decides what is told, and others get their share of it", () => {
  const relay = new Relay();
  let draw = 0;
  const observer = new RequestObserver({ names, relay, onError: fail, random: () => draw });
  const [few, most] = [new Seen(), new Seen()];
  observer.observe({ ...all, every: 100 }, few.sink);
  expect(relay.wanted?.every).toBe(100);
  const end = observer.observe({ ...all, every: 10 }, most.sink);
  expect(relay.wanted?.every).toBe(10);
  draw = 0.05;
  relay.wanted?.onRequests({ requests: [relayRequest()], lost: 0 });
  draw = 0.5;
  relay.wanted?.onRequests({ requests: [relayRequest()], lost: 0 });
  expect([few.requests.length, most.requests.length]).toEqual([1, 2]);
  end();
  expect(relay.wanted?.every).toBe(100);
});
