// What programs hash of a request's head and whom they find by it, beside what the relay does with the same request.
import { create } from "@bufbuild/protobuf";
import { switchedKeyValue } from "@keelson/bpf";
import { routeKey } from "@keelson/compiler/kernel-keys";
import { formatEndpoint } from "@keelson/model";
import { DestinationSchema, EndpointSetSchema } from "@keelson/protos/policy";
import {
  type ConsistentHash,
  ConsistentHashSchema,
  TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import fc from "fast-check";
import { expect } from "vitest";
import { endpoint } from "../builders.test-helper.ts";
import { kernelTest } from "../kernel.test-helper.ts";
import { Balancers } from "../relay/policy/balancer/balancers.ts";
import { hashKey } from "../relay/policy/hash-key.ts";
import { parseRequest } from "../relay/policy/parsed-request.ts";
import { KernelBalancer, KernelKeys } from "./kernel-balancer.test-helper.ts";
import { keyEntry } from "./switched-port.ts";

type Key = ConsistentHash["key"];

const header: Key = { case: "httpHeaderName", value: "X-User" };
const cookie: Key = {
  case: "httpCookie",
  value: { $typeName: "keelson.policy.v1.HashCookie", name: "user", path: "" },
};
const query: Key = { case: "httpQueryParameterName", value: "user" };

const destinationsBy = (key: Key, times = 1) =>
  Array.from({ length: times }, () =>
    create(DestinationSchema, { weight: 1, policy: { loadBalancer: { consistentHash: { key } } } }),
  );

/** What the programs look at. */
function kernelKey(key: Key, times?: number) {
  const [entry] = keyEntry(new Uint8Array(), { destinations: destinationsBy(key, times) });
  return switchedKeyValue.decode(entry?.value ?? new Uint8Array());
}

/** The relay's hash; undefined: the request has no key. */
function relayHash(key: Key, some: readonly string[], target: string, times = 1): bigint | undefined {
  const rawHeaders = some.flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const request = parseRequest({
    method: "GET",
    path: target,
    authority: "reviews",
    scheme: "http",
    rawHeaders,
  });
  if (typeof request === "number") throw new Error(`${target} is refused with ${request}`);
  const policies = Array.from({ length: times }, () => create(ConsistentHashSchema, { key }));
  return hashKey(policies, request, { workload: undefined, address: "10.0.0.9", port: 1 }).hash;
}

const headOf = (some: readonly string[], target: string): Buffer =>
  Buffer.from([`GET ${target} HTTP/1.1`, ...some, "", ""].join("\r\n"), "latin1");

const kinds: readonly [string, Key][] = [
  ["a header", header],
  ["a cookie", cookie],
  ["a query parameter", query],
];

/** Parts of which heads are made that are near to the name, and to the end of a value. */
const text = fc.stringMatching(/^[ -~]{0,70}$/).map((one) => one.replaceAll(/[#]/g, "-"));
const plain = fc.stringMatching(/^[!-~]{0,70}$/).map((one) => one.replaceAll(/[#";&]/g, "-"));
const name = fc.constantFrom("user", "user", "x-user", "X-USER", "use", "users", "cookie", "Cookie", "host");
const content = fc.oneof({ arbitrary: plain, weight: 3 }, { arbitrary: text, weight: 1 });
const equals = fc.constantFrom("=", "=", "=", "", " =", "= ");
const pair = fc.tuple(name, equals, content).map((parts) => parts.join(""));
const pairs = fc.array(pair, { minLength: 1, maxLength: 4 }).map((some) => some.join("; "));
const line = fc
  .tuple(name, fc.constantFrom(":", ": ", ":  "), fc.oneof(content, pairs))
  .map((parts) => parts.join(""));
const cookies = pairs.map((some) => `Cookie: ${some}`);
const lines = fc
  .tuple(fc.array(line, { maxLength: 3 }), fc.array(cookies, { maxLength: 1 }))
  .map(([some, others]) => [...some, ...others]);
const path = fc
  .array(
    pair.map((one) => one.replaceAll(" ", "+")),
    { maxLength: 4 },
  )
  .map((some) => (some.length === 0 ? "/a/b" : `/a?${some.join("&")}`));

for (const [what, key] of kinds) {
  kernelTest(`${what} is hashed as the relay does, or left to it`, async () => {
    using kernel = await KernelKeys.load();
    const counts = { hashed: 0, none: 0, odd: 0 };
    await fc.assert(
      fc.asyncProperty(lines, path, fc.integer({ min: 1, max: 3 }), async (some, target, times) => {
        const found = await kernel.hash(kernelKey(key, times), headOf(some, target));
        const wanted = relayHash(key, some, target, times);
        counts[typeof found === "bigint" ? "hashed" : found]++;
        if (found !== "odd") expect(found === "none" ? undefined : found).toBe(wanted);
      }),
      { numRuns: 600 },
    );
    // Each is looked at often enough, and most that have a key are not left to the relay.
    expect(counts.hashed).toBeGreaterThan(20);
    expect(counts.none).toBeGreaterThan(20);
    expect(counts.odd).toBeLessThan(counts.hashed + counts.none);
  });
}

kernelTest("what could be read in two ways is left to the relay, and nothing else", async () => {
  using kernel = await KernelKeys.load();
  const ask = (key: Key, some: readonly string[], target = "/") =>
    kernel
      .hash(kernelKey(key), headOf(some, target))
      .then((found) => (typeof found === "bigint" ? "hashed" : found));
  for (const [key, some, wanted] of [
    [header, ["x-user: a"], "hashed"],
    [header, ["x-user:"], "hashed"],
    [header, ["x-users: a", "ax-user: b"], "none"],
    [header, ["x-user: a", "X-User: b"], "odd"],
    [header, ["x-user: a "], "odd"],
    [cookie, ["Cookie: a=b; user=c; d=e"], "hashed"],
    [cookie, ["cookie: user=c"], "hashed"],
    [cookie, ["cookie: user=; user=c"], "none"],
    [cookie, ["cookie: users=c; auser=d", "x: user=c"], "none"],
    [cookie, ['cookie: user="c"'], "odd"],
    [cookie, ["cookie: user=c", "cookie: a=b"], "odd"],
  ] as const)
    expect([some, await ask(key, some)]).toEqual([some, wanted]);
  for (const [target, wanted] of [
    ["/?user=a", "hashed"],
    ["/user=b?x&user=&user=c", "hashed"],
    ["/user=b?users=c&auser=d", "none"],
  ] as const)
    expect([target, await ask(query, [], target)]).toEqual([target, wanted]);
});

const weightsOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
const settings = {
  minimumRingSize: fc.constantFrom(0n, 1n, 100n, 1024n),
  maglevTableSize: fc.constantFrom(0n, 0n, 101n, 1021n),
};

kernelTest("a hash finds the relay's endpoint, on rings and in Maglev tables", async () => {
  await fc.assert(
    fc.asyncProperty(
      weightsOf,
      fc.record(settings),
      fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 20, maxLength: 20 }),
      async (weights, how, hashes) => {
        const endpoints = weights.map((weight, at) => endpoint(`10.0.0.${at + 1}`, { weight }));
        const policy = create(TrafficPolicySchema, {
          loadBalancer: { consistentHash: { key: header, ...how } },
        });
        const balancers = new Balancers(Math.random);
        balancers.update(new Map([["set", create(EndpointSetSchema, { name: "set", endpoints })]]));
        const relay = balancers.of({ key: "set", endpointSet: "set", policy }, "IPv4");
        const destination = create(DestinationSchema, { endpointSet: "set", weight: 1, policy });
        using kernel = await KernelBalancer.load(
          { key: "set", destination, endpoints },
          (at) => `10.0.0.${at + 1}:9080`,
        );
        for (const hash of [0n, 2n ** 64n - 1n, ...hashes]) {
          const { address, port } =
            relay.pick({ hash, tried: [], random: Math.random }, 0) ?? endpoint("0.0.0.0");
          expect(await kernel.pick(hash)).toBe(formatEndpoint(address, port));
        }
      },
    ),
    { numRuns: 12 },
  );
});

kernelTest("a request's key is that of the routes' policies together", () => {
  expect(routeKey(destinationsBy(header, 2))).toEqual({
    kind: "header",
    name: "x-user",
    isMade: false,
    times: 2,
  });
});
