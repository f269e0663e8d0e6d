import { expect, test } from "vitest";
import type { RelayRequest } from "../relay.ts";
import { RequestTap } from "./request-tap.ts";

const request = (route: string): RelayRequest => ({
  endedAt: 0,
  workload: 1n,
  service: 2n,
  endpoint: "",
  route,
  method: "GET",
  path: "/",
  status: 200,
  microseconds: 1,
  bytesSent: 0,
  bytesReceived: 0,
});

const see = (tap: RequestTap, ...routes: readonly string[]): void => {
  for (const route of routes) tap.see(() => request(route));
};

const routesOf = (tap: RequestTap): string[] => tap.take().requests.map(({ route }) => route);

test("what is wanted is seen once, and nothing before or after", () => {
  const tap = new RequestTap(() => 0);
  see(tap, "before");
  tap.open(1);
  see(tap, "a", "b");
  expect(routesOf(tap)).toEqual(["a", "b"]);
  expect(routesOf(tap)).toEqual([]);
  see(tap, "left over");
  tap.open(0);
  see(tap, "after");
  tap.open(1);
  expect(routesOf(tap)).toEqual([]);
});

test("one of so many is drawn, and the others are not even told", () => {
  const draws = [0.24, 0.26, 0.99, 0];
  const tap = new RequestTap(() => draws.shift() ?? 1);
  tap.open(4);
  see(tap, "a");
  tap.see(() => {
    throw new Error("told");
  });
  see(tap, "c", "d");
  expect(routesOf(tap)).toEqual(["a", "d"]);
});

test("a reader that comes late misses what there is no room for, and is told how much", () => {
  const tap = new RequestTap(() => 0);
  tap.open(1);
  see(tap, ...Array.from({ length: 4_100 }, (_, i) => String(i)));
  const { requests, lost } = tap.take();
  expect([requests.length, requests.at(-1)?.route, lost]).toEqual([4_096, "4095", 4]);
  expect(tap.take()).toEqual({ requests: [], lost: 0 });
});
