import { create } from "@bufbuild/protobuf";
import { type Endpoint, EndpointSetSchema } from "@keelson/protos/policy";
import { LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at, name, pick, picks, refOf, Scene, setOf, shares, simple } from "../testing/balancer-scene.ts";
import type { PolicyInit } from "../testing/builders.ts";
import type { Balancer } from "../types.ts";
import { xxhash64 } from "../xxhash64.ts";
import { Balancers } from "./balancers.ts";

test("a set without endpoints, or a set that is not there, has none to pick", () => {
  expect(pick(new Scene().of())).toBe(0);
  expect(
    new Balancers(() => 0).of(refOf(), "IPv4").pick({ hash: undefined, tried: [], random: () => 0 }, 0),
  ).toBeUndefined();
});

describe("round robin", () => {
  test("takes turns, and goes on where it was when endpoints or other rules change", () => {
    const scene = new Scene(1, 1, 1);
    expect(picks(scene.of(simple(Simple.ROUND_ROBIN)), 4)).toEqual([1, 2, 3, 1]);
    scene.balancers.update(new Map([[name, setOf(1, 1, 1, 1)]]));
    const limited = { ...simple(Simple.ROUND_ROBIN), connectionPool: { maxConnections: 7 } };
    expect(scene.of(limited).limits.connections).toBe(7);
    expect(picks(scene.of(limited), 4)).toEqual([1, 2, 3, 4]);
  });

  test("gives each endpoint its weight exactly", () => {
    expect(shares(new Scene(1, 2, 5).of(simple(Simple.ROUND_ROBIN)), 80)).toEqual({ 1: 10, 2: 20, 3: 50 });
  });
});

test("random does not look at weights", () => {
  const balancer = new Scene(1, 1000).of(simple(Simple.RANDOM));
  expect([0, 0.4, 0.5, 0.99].map((random) => pick(balancer, { random: () => random }))).toEqual([1, 1, 2, 2]);
});

describe("least request", () => {
  const busy = (balancer: Balancer, wanted: number, requests: number): void => {
    for (let left = requests; left > 0; ) {
      const endpoint = balancer.pick({ hash: undefined, tried: [], random: Math.random }, 0);
      if (endpoint === undefined || at(endpoint) !== wanted) continue;
      balancer.started(endpoint);
      left--;
    }
  };

  test("takes the less busy one of two", () => {
    const balancer = new Scene(1, 1).of();
    busy(balancer, 1, 1);
    const draws = [0, 0.9];
    expect(pick(balancer, { random: () => draws.shift() ?? 0 })).toBe(2);
    const others = [0.9, 0];
    expect(pick(balancer, { random: () => others.shift() ?? 0 })).toBe(2);
  });

  test("with weights, an endpoint weighs less the busier it is", () => {
    const scene = new Scene(4, 1);
    expect(shares(scene.of(), 50)).toEqual({ 1: 40, 2: 10 });
    busy(scene.of(), 1, 15);
    // Of weight 4 / 16 now, after what was planned before.
    picks(scene.of(), 5);
    expect(shares(scene.of(), 50)).toEqual({ 1: 10, 2: 40 });
  });
});

describe("consistent hash", () => {
  const hashed: PolicyInit = {
    loadBalancer: { consistentHash: { key: { case: "httpHeaderName", value: "x" } } },
  };
  const table: PolicyInit = {
    loadBalancer: { consistentHash: { key: { case: "httpHeaderName", value: "x" }, maglevTableSize: 251n } },
  };

  test.each([
    ["ring", hashed],
    ["Maglev's table", table],
  ])("by a %s: one key, one endpoint; few keys move when an endpoint goes", (_, policy) => {
    const before = new Scene(1, 1, 1, 1, 1).of(policy);
    const after = new Scene(1, 1, 1, 1).of(policy);
    const keys = Array.from({ length: 500 }, (_value, key) => xxhash64(`${key}`));
    const placed = keys.map((hash) => pick(before, { hash }));
    expect(new Set(placed)).toEqual(new Set([1, 2, 3, 4, 5]));
    expect(keys.map((hash) => pick(before, { hash }))).toEqual(placed);
    const moved = keys.filter(
      (hash, index) => placed[index] !== 5 && pick(after, { hash }) !== placed[index],
    );
    expect(moved.length).toBeLessThan(keys.length / 5);
  });

  test.each([
    ["ring", hashed],
    ["Maglev's table", table],
  ])("by a %s: weights count, and an endpoint that was tried is left out", (_, policy) => {
    const scene = new Scene(1, 9);
    const seen = { 1: 0, 2: 0 };
    for (let key = 0; key < 1000; key++)
      seen[pick(scene.of(policy), { hash: xxhash64(`${key}`) }) as 1 | 2]++;
    expect(seen[1]).toBeGreaterThan(30);
    expect(seen[1]).toBeLessThan(250);
    const even = new Scene(1, 1).of(policy);
    const first = even.pick({ hash: 5n, tried: [], random: Math.random }, 0);
    const others = Array.from({ length: 20 }, (_value, key) => {
      const hash = xxhash64(`${key}`);
      const one = even.pick({ hash, tried: [], random: Math.random }, 0);
      return one !== undefined && pick(even, { hash, tried: [one] }) === at(one);
    });
    expect(first).toBeDefined();
    // Six places in a row of the ring may be one endpoint's.
    expect(others.filter(Boolean).length).toBeLessThanOrEqual(3);
  });

  test("without a key any endpoint is right", () => {
    expect(Object.keys(shares(new Scene(1, 1).of(hashed), 100))).toEqual(["1", "2"]);
  });
});

test("endpoints are of the family that was dialled; of the other one where there are none", () => {
  const both = create(EndpointSetSchema, {
    name,
    endpoints: [
      { address: Uint8Array.of(10, 0, 0, 1), port: 80, weight: 1 },
      { address: new Uint8Array(16).fill(6), port: 80, weight: 1 },
    ],
  });
  const balancers = new Balancers(() => 0);
  balancers.update(new Map([[name, both]]));
  expect(shares(balancers.of(refOf(), "IPv6"), 20)).toEqual({ 6: 20 });
  expect(shares(balancers.of(refOf(), "IPv4"), 20)).toEqual({ 1: 20 });
  balancers.update(new Map([[name, setOf(1)]]));
  expect(shares(balancers.of(refOf(), "IPv6"), 20)).toEqual({ 1: 20 });
});

test("whatever comes and goes, what is picked is there, and none is missed while one has not failed", () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const step = fc.oneof(
    fc.record({ weights: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }) }),
    fc.record({ status: fc.constantFrom(200, 503) }),
    fc.record({ draws: fc.array(draw, { minLength: 1, maxLength: 3 }) }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom(undefined, ...Object.values(Simple)),
      (steps, how) => {
        const scene = new Scene(1, 1);
        let count = 2;
        const rule: PolicyInit = {
          ...(typeof how === "number" && simple(how)),
          outlierDetection: { consecutive5xxErrors: 1, maxEjectionPercent: 50 },
        };
        const underWay: Endpoint[] = [];
        /** Since they were last seen to come. They may all be left out, where others went that had not failed. */
        let failed = new Set<number>();
        for (const [now, one] of steps.entries()) {
          if ("weights" in one) {
            scene.balancers.update(new Map([[name, setOf(...one.weights)]]));
            count = one.weights.length;
            continue;
          }
          const balancer = scene.of(rule);
          failed = new Set([...failed].filter((host) => host <= count));
          if ("status" in one) {
            const endpoint = underWay.shift();
            if (endpoint === undefined) continue;
            balancer.ended(endpoint, { kind: "answer", status: one.status, rawHeaders: [] }, now);
            if (one.status === 503 && at(endpoint) <= count) failed.add(at(endpoint));
          } else {
            let drawn = 0;
            const random = (): number => one.draws[drawn++ % one.draws.length] ?? 0;
            const endpoint = balancer.pick({ hash: undefined, tried: [], random }, now);
            expect(at(endpoint)).toBeLessThanOrEqual(count);
            if (failed.size < count) expect(endpoint).toBeDefined();
            if (endpoint === undefined) continue;
            balancer.started(endpoint);
            underWay.push(endpoint);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});
