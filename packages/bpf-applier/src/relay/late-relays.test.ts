import { beforeEach, expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { makeKeeper } from "./keeper.test-helper.ts";
import { emptyRelayPolicy } from "./relay-policy.ts";
import { standIns } from "./stand-in.test-helper.ts";

let relays: ReturnType<typeof standIns>;

beforeEach(() => {
  relays = standIns();
});

kernelTest("a relay that does not answer is ended, and the next one has the policy", async () => {
  const { keeper, errors } = makeKeeper(relays.start, 50);
  await keeper.start();
  const first = relays.started[0];
  if (first !== undefined) first.setPolicy = () => new Promise(() => undefined);
  const policy = { ...emptyRelayPolicy };
  await keeper.setPolicy(policy);
  expect(first?.isClosed).toBe(true);
  await expect.poll(() => relays.started[1]?.policy).toBe(policy);
  expect(errors).toEqual([expect.stringContaining("it did not answer within 50 ms")]);
});

kernelTest("a relay that hangs between two policies is found when it is asked for its counters", async () => {
  const { keeper, errors } = makeKeeper(relays.start, 50);
  await keeper.start();
  const first = relays.started[0];
  if (first !== undefined) first.counters = () => new Promise(() => undefined);
  expect(await keeper.counters()).toEqual([]);
  expect(first?.isClosed).toBe(true);
  await expect.poll(() => keeper.status()).toMatchObject({ pid: 1, restarts: 1 });
  expect(errors).toEqual([expect.stringContaining("it did not answer within 50 ms")]);
});

kernelTest("a relay that loads its program slowly is given more time with each start", async () => {
  const start: typeof relays.start = async (how) => {
    const relay = await relays.start(how);
    if (relays.started.length <= 2) relay.setPolicy = () => new Promise(() => undefined);
    return relay;
  };
  const { keeper, errors } = makeKeeper(start, 20);
  await keeper.start();
  expect(relays.started[0]?.isClosed).toBe(true);
  await expect.poll(() => keeper.status()).toMatchObject({ pid: 1, restarts: 2 });
  expect(errors).toEqual([expect.stringContaining("within 20 ms"), expect.stringContaining("within 40 ms")]);
});

kernelTest(
  "a relay that is late leaves what it has to the next one, when it runs and when it starts",
  async () => {
    const gaveWay: number[] = [];
    const start: typeof relays.start = async (how) => {
      const relay = await relays.start(how);
      const at = relays.started.length - 1;
      const giveWay = async (): Promise<void> => void gaveWay.push(at);
      if (relays.started.length === 2) relay.setPolicy = () => new Promise(() => undefined);
      return Object.assign(relay, { giveWay });
    };
    const { keeper } = makeKeeper(start, 20);
    await keeper.start();
    const [first] = relays.started;
    if (first !== undefined) first.counters = () => new Promise(() => undefined);
    await keeper.counters();
    await expect.poll(() => keeper.status()).toMatchObject({ pid: 1, restarts: 2 });
    expect(gaveWay).toEqual([0, 1]);
    expect(relays.started.filter(({ isClosed }) => isClosed)).toEqual([]);
  },
);

kernelTest("a relay is asked nothing until its program is loaded", async () => {
  const loaded = Promise.withResolvers<void>();
  const { keeper } = makeKeeper(async (how) => {
    const relay = await relays.start(how);
    const isFirst = relays.started.length === 1;
    Object.assign(relay, { loaded: isFirst ? new Promise<void>(() => undefined) : loaded.promise });
    return relay;
  }, 400);
  const policy = { ...emptyRelayPolicy };
  await Promise.all([keeper.start(), keeper.setPolicy(policy)]);
  await expect.poll(() => relays.started.length, { timeout: 5_000 }).toBe(2);
  expect(relays.started.map((relay) => [relay.policy, relay.isClosed])).toEqual([
    [undefined, true],
    [undefined, false],
  ]);
  loaded.resolve();
  await expect.poll(() => relays.started[1]?.policy).toBe(policy);
});
