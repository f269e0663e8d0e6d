import { relayValue } from "@keelson/bpf";
import type { BpfMap } from "bpf-maps-native";
import { beforeEach, expect, onTestFinished, vi } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { makeKeeper as keeperOf } from "./keeper.test-helper.ts";
import type { RelayEdge, RelayNetwork } from "./relay.ts";
import type { RelayKeeper } from "./relay-keeper.ts";
import { RelayMap } from "./relay-map.ts";
import { emptyRelayPolicy } from "./relay-policy.ts";
import { standIns } from "./stand-in.test-helper.ts";

let map: BpfMap;
let relays: ReturnType<typeof standIns>;
let keeper: RelayKeeper;
let errors: string[];

beforeEach(() => {
  relays = standIns();
});

function makeKeeper(start = relays.start, patienceMs = 10_000, listenersLast = false): void {
  ({ keeper, map, errors } = keeperOf(start, patienceMs, listenersLast));
}

const networks = (paths: Record<string, string>): ReadonlyMap<bigint, RelayNetwork> =>
  new Map(Object.entries(paths).map(([cookie, path]) => [BigInt(cookie), { cookie: BigInt(cookie), path }]));

/** IPv4 port by cookie, as programs see it. */
async function ports(): Promise<Record<string, number>> {
  const { count, keys, values } = await map.batchLookup();
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      String(Buffer.from(keys).readBigUInt64LE(i * 8)),
      relayValue.decode(values.subarray(i * relayValue.size)).port4,
    ]),
  );
}

kernelTest("programs are told where the relay listens, and no more where it does not", async () => {
  makeKeeper();
  new RelayMap(map).set(9n, { port4: 1, port6: 1 });
  await keeper.start();
  expect(await ports()).toEqual({});
  await keeper.setNetworks(networks({ 1: "/one", 2: "/two" }));
  expect(await ports()).toEqual({ 1: 4001, 2: 4002 });
  await keeper.setNetworks(networks({ 2: "/two", 3: "/three" }));
  expect(await ports()).toEqual({ 2: 4002, 3: 4003 });
  expect([...(relays.started[0]?.networks.keys() ?? [])]).toEqual([2n, 3n]);
  await keeper.close();
  expect(await ports()).toEqual({});
  expect(relays.started[0]?.isClosed).toBe(true);
});

kernelTest("a relay that ends is away at once, and the next one has all that the last one had", async () => {
  const nextMayStart = Promise.withResolvers<void>();
  makeKeeper(async (how) => {
    if (relays.started.length === 1) await nextMayStart.promise;
    return relays.start(how);
  });
  await keeper.start();
  await keeper.setNetworks(networks({ 1: "/one" }));
  const policy = { ...emptyRelayPolicy };
  await keeper.setPolicy(policy);
  relays.started[0]?.end("SIGKILL");
  await expect.poll(ports).toEqual({});
  expect(keeper.status()).toMatchObject({ endedBecause: "SIGKILL", networks: 0 });
  // What comes while it is away is not lost.
  const set = keeper.setNetworks(networks({ 2: "/two" }));
  nextMayStart.resolve();
  await set;
  await expect.poll(ports).toEqual({ 2: 4002 });
  expect(relays.started).toHaveLength(2);
  expect(relays.started[1]?.policy).toBe(policy);
  expect(keeper.status()).toMatchObject({ restarts: 1, networks: 1 });
  expect(errors).toEqual([
    "keep the relay running: SIGKILL; starting it in 100 ms; until it runs connections are decided once, without rules for requests",
  ]);
});

kernelTest(
  "where listeners outlive a relay, programs know them until it has ended several times in a row",
  async () => {
    makeKeeper(relays.start, 10_000, true);
    await keeper.start();
    await keeper.setNetworks(networks({ 1: "/one", 2: "/two" }));
    relays.started[0]?.end("SIGKILL");
    expect(await ports()).toEqual({ 1: 4001, 2: 4002 });
    // One that is gone meanwhile is one that the next relay does not listen in.
    await keeper.setNetworks(networks({ 2: "/two", 3: "/three" }));
    await expect.poll(ports).toEqual({ 2: 4002, 3: 4003 });
    for (let restarts = 1; restarts < 4; restarts++) {
      expect(await ports()).toEqual({ 2: 4002, 3: 4003 });
      relays.started[restarts]?.end("SIGKILL");
      await expect.poll(() => keeper.status()).toMatchObject({ restarts: restarts + 1, networks: 2 });
    }
    expect(errors.at(-1)).toMatch(/until it runs callers wait$/);
    relays.started[4]?.end("SIGKILL");
    expect(keeper.status()).toMatchObject({ bypassed: true });
    expect(errors.at(-1)).toMatch(/decided once, without rules for requests$/);
    await expect.poll(ports).toEqual({});
  },
);

kernelTest(
  "a relay that cannot be started is tried again, and a network that cannot be entered, too",
  async () => {
    let failures = 2;
    makeKeeper((onExit) => (failures-- > 0 ? Promise.reject(new Error("no")) : relays.start(onExit)));
    await keeper.start();
    await keeper.setNetworks(networks({ 1: "", 2: "/two" }));
    await expect.poll(ports).toEqual({ 2: 4002 });
    expect(keeper.status()).toMatchObject({ restarts: 2 });
    await expect.poll(() => errors.filter((text) => text.includes("nowhere")).length).toBeGreaterThan(1);
    await keeper.setNetworks(networks({ 1: "/one", 2: "/two" }));
    expect(await ports()).toEqual({ 1: 4001, 2: 4002 });
  },
);

kernelTest("counters go on over the end of a relay", async () => {
  makeKeeper();
  await keeper.start();
  const edge: RelayEdge = {
    workload: 1n,
    service: 2n,
    endpoint: "",
    route: "",
    statusClass: 4,
    requests: 3n,
    bytesSent: 10n,
    bytesReceived: 20n,
    latency: [5, 2, 40, 1],
    latencySumUs: 140n,
  };
  const first = relays.started[0];
  if (first !== undefined) first.edges = [edge];
  expect(await keeper.counters()).toEqual([edge]);
  first?.end("SIGKILL");
  expect(await keeper.counters()).toEqual([edge]);
  await expect.poll(() => relays.started.length).toBe(2);
  const second = relays.started[1];
  if (second !== undefined)
    second.edges = [
      { ...edge, requests: 4n, latency: [40, 2, 41, 2], latencySumUs: 530n },
      { ...edge, statusClass: 2 },
    ];
  await expect
    .poll(() => keeper.counters())
    .toEqual([
      {
        ...edge,
        requests: 7n,
        bytesSent: 20n,
        bytesReceived: 40n,
        latency: [5, 2, 40, 3, 41, 2],
        latencySumUs: 670n,
      },
      { ...edge, statusClass: 2 },
    ]);
});

kernelTest(
  "a policy that the relay refuses is told to be, and is not what the next one begins with",
  async () => {
    makeKeeper();
    await keeper.start();
    const [good, bad] = [{ ...emptyRelayPolicy }, { ...emptyRelayPolicy }];
    await keeper.setPolicy(good);
    const first = relays.started[0];
    if (first !== undefined) first.setPolicy = () => Promise.reject(new Error("no regular expression"));
    await expect(keeper.setPolicy(bad)).rejects.toThrow("no regular expression");
    expect(first?.isClosed).toBe(false);
    first?.end("SIGKILL");
    await expect.poll(() => relays.started[1]?.policy).toBe(good);
  },
);

kernelTest("a relay that does not take its first policy is ended before the next one starts", async () => {
  makeKeeper(async (onExit) => {
    const relay = await relays.start(onExit);
    if (relays.started.length === 1)
      relay.setPolicy = () => Promise.reject(new Error("no regular expression"));
    return relay;
  });
  await keeper.start();
  expect(relays.started[0]?.isClosed).toBe(true);
  await expect
    .poll(() => keeper.status())
    .toMatchObject({ restarts: 1, endedBecause: "no regular expression" });
});

kernelTest("a relay that is started again tells of single requests as the one before did", async () => {
  makeKeeper();
  await keeper.start();
  const wanted = { every: 5, onRequests: () => undefined };
  await keeper.observe(wanted);
  expect(relays.started[0]?.observation).toBe(wanted);
  relays.started[0]?.end("gone");
  await expect.poll(() => relays.started[1]?.observation).toBe(wanted);
  await keeper.observe(undefined);
  expect(relays.started[1]?.observation).toBeUndefined();
});

kernelTest(
  "a relay that was there goes by what it was told, until the agent has heard of a policy",
  async () => {
    makeKeeper(relays.inheritedIn(1n));
    await keeper.start();
    expect(relays.started[0]?.policy).toBeUndefined();
    await keeper.setPolicy(emptyRelayPolicy);
    expect(relays.started[0]?.policy).toBe(emptyRelayPolicy);
    await keeper.setPolicy(undefined);
    expect(relays.started[0]?.policy).toBeUndefined();
  },
);

kernelTest(
  "networks that nobody names are left, also if the relay that is in them was found late",
  async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    let starts = 0;
    makeKeeper((how) => (++starts < 9 ? Promise.reject(new Error("not yet")) : relays.inheritedIn(1n)(how)));
    await keeper.start();
    // The map is the kernel's: it answers in its own time.
    const later = async <T>(see: () => T): Promise<T> => {
      await vi.advanceTimersByTimeAsync(500);
      return see();
    };
    await expect.poll(() => later(() => relays.started.length), { interval: 5, timeout: 5_000 }).toBe(1);
    await expect.poll(() => later(() => relays.started[0]?.networks.size), { interval: 5 }).toBe(0);
  },
);
