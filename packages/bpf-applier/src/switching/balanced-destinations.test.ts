// What programs choose, beside what the relay's balancers choose among the same endpoints.
import { create } from "@bufbuild/protobuf";
import { formatEndpoint } from "@keelson/model";
import { DestinationSchema, EndpointSetSchema } from "@keelson/protos/policy";
import { LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { expect } from "vitest";
import { endpoint } from "../builders.test-helper.ts";
import { kernelTest } from "../kernel.test-helper.ts";
import { Balancers } from "../relay/policy/balancer/balancers.ts";
import { KernelBalancer } from "./kernel-balancer.test-helper.ts";

interface Setting {
  readonly simple: LoadBalancer_Simple;
  readonly weights: readonly number[];
  /** By endpoint. */
  readonly underWay: readonly number[];
  readonly times: number;
}

const endpointsOf = (weights: readonly number[]) =>
  weights.map((weight, at) => endpoint(`10.0.0.${at + 1}`, { weight }));
const nameOf = (at: number): string => `10.0.0.${at + 1}:9080`;
const destinationOf = ({ simple }: Setting) =>
  create(DestinationSchema, { endpointSet: "set", weight: 1, policy: { loadBalancer: { simple } } });

async function chosenInKernel(setting: Setting): Promise<string[]> {
  const endpoints = endpointsOf(setting.weights);
  const destination = { key: "set", destination: destinationOf(setting), endpoints };
  using kernel = await KernelBalancer.load(destination, nameOf);
  for (const [at, count] of setting.underWay.entries()) kernel.setUnderWay(nameOf(at), count);
  const chosen: string[] = [];
  for (let i = 0; i < setting.times; i++) chosen.push(await kernel.pick());
  return chosen;
}

function chosenAtRelay(setting: Setting): string[] {
  const endpoints = endpointsOf(setting.weights);
  const balancers = new Balancers(Math.random);
  balancers.update(new Map([["set", create(EndpointSetSchema, { name: "set", endpoints })]]));
  const { policy } = destinationOf(setting);
  const balancer = balancers.of({ key: "set", endpointSet: "set", policy }, "IPv4");
  for (const [at, count] of setting.underWay.entries()) {
    const one = endpoints[at] ?? endpoint("0.0.0.0");
    for (let i = 0; i < count; i++) balancer.started(one);
  }
  return Array.from({ length: setting.times }, () => {
    const { address, port } =
      balancer.pick({ hash: undefined, tried: [], random: Math.random }, 0) ?? endpoint("0.0.0.0");
    return formatEndpoint(address, port);
  });
}

const shareOf = (chosen: readonly string[], at: number): number =>
  chosen.filter((name) => name === nameOf(at)).length / chosen.length;

/** Of 2,000 draws a share is off by 0.06 once in ten million times. */
const draws = 2_000;
const tolerance = 0.06;

const { ROUND_ROBIN, LEAST_REQUEST, RANDOM } = LoadBalancer_Simple;

kernelTest("turns come in the relay's order, from anywhere on", async () => {
  const setting = { simple: ROUND_ROBIN, weights: [1, 1, 1, 1, 1], underWay: [], times: 15 };
  const kernel = await chosenInKernel(setting);
  const relay = chosenAtRelay({ ...setting, times: 20 });
  const start = relay.indexOf(kernel[0] ?? "");
  expect(kernel).toEqual(relay.slice(start, start + 15));
});

kernelTest("turns by weights come as often as at the relay", async () => {
  const setting = { simple: ROUND_ROBIN, weights: [2, 6, 4], underWay: [], times: 18 };
  const [kernel, relay] = [await chosenInKernel(setting), chosenAtRelay(setting)];
  for (const at of [0, 1, 2]) expect(shareOf(kernel, at)).toBe(shareOf(relay, at));
});

const busy: readonly [string, Setting, readonly number[]][] = [
  [
    "nothing under way",
    { simple: LEAST_REQUEST, weights: [1, 1, 1], underWay: [], times: draws },
    [1 / 3, 1 / 3, 1 / 3],
  ],
  // Only who is drawn twice is chosen though it is the busiest.
  [
    "one that is busy",
    { simple: LEAST_REQUEST, weights: [1, 1, 1], underWay: [5], times: draws },
    [1 / 9, 4 / 9, 4 / 9],
  ],
  [
    "each more than the next",
    { simple: LEAST_REQUEST, weights: [1, 1, 1], underWay: [9, 5, 1], times: draws },
    [1 / 9, 3 / 9, 5 / 9],
  ],
  [
    "weights, and nothing under way",
    { simple: LEAST_REQUEST, weights: [1, 3], underWay: [], times: draws },
    [1 / 4, 3 / 4],
  ],
  [
    "RANDOM, weights and all",
    { simple: RANDOM, weights: [1, 8], underWay: [9, 0], times: draws },
    [1 / 2, 1 / 2],
  ],
];

for (const [what, setting, shares] of busy) {
  kernelTest(`choices have the relay's shares: ${what}`, async () => {
    const [kernel, relay] = [await chosenInKernel(setting), chosenAtRelay(setting)];
    for (const [at, share] of shares.entries()) {
      expect(Math.abs(shareOf(kernel, at) - share)).toBeLessThan(tolerance);
      expect(Math.abs(shareOf(relay, at) - share)).toBeLessThan(tolerance);
    }
  });
}

kernelTest(
  "of two that weigh differently, the one has less under way that has less for its weight",
  async () => {
    const setting = { simple: LEAST_REQUEST, weights: [1, 3], underWay: [2, 3], times: draws };
    // 3 of weight 3 are less than 2 of weight 1, which is chosen only where it is drawn twice.
    expect(Math.abs(shareOf(await chosenInKernel(setting), 0) - 1 / 16)).toBeLessThan(tolerance);
  },
);
