import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { limitedLog } from "./logging/limited-log.ts";
import { NodePresence } from "./node-presence.ts";

const type = "type.test/Thing";
const [stream, elsewhere] = [
  { node: "a", peer: "10.0.0.1:5" },
  { node: "a", peer: "10.0.0.1:6" },
];
let lines: string[];
let presence: NodePresence;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const write = (line: string): void => {
    const { msg, peer, more } = JSON.parse(line) as { msg: string; peer?: string; more?: number };
    if (more === undefined) lines.push(`${msg} ${peer}`);
  };
  presence = new NodePresence(limitedLog(pino({}, { write })));
  presence.connected(stream);
});
afterEach(() => {
  vi.useRealTimers();
});

test("a node that comes and goes is told of at once", () => {
  presence.disconnected(stream);
  presence.connected(stream);
  expect(lines).toEqual([
    "node connected 10.0.0.1:5",
    "node disconnected 10.0.0.1:5",
    "node connected 10.0.0.1:5",
  ]);
});

test("one that rejects something and asks again on the same connection is not told of, in whatever order that is heard of", () => {
  presence.rejects("a", type);
  for (let i = 0; i < 3; i++) {
    presence.disconnected(stream);
    presence.connected(stream);
    vi.advanceTimersByTime(30_000);
    presence.connected(stream);
    presence.disconnected(stream);
    vi.advanceTimersByTime(30_000);
  }
  expect(lines).toEqual(["node connected 10.0.0.1:5"]);
});

test("one that does not come back is told of, and once", () => {
  presence.rejects("a", type);
  presence.disconnected(stream);
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(1)).toEqual(["node disconnected 10.0.0.1:5"]);
  presence.connected(stream);
  presence.disconnected(stream);
  expect(lines.slice(2)).toEqual(["node connected 10.0.0.1:5", "node disconnected 10.0.0.1:5"]);
});

test("one that comes back over another connection is told of", () => {
  presence.rejects("a", type);
  presence.disconnected(stream);
  presence.connected(elsewhere);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(1)).toEqual(["node connected 10.0.0.1:6", "node disconnected 10.0.0.1:5"]);
  // It still rejects the same.
  presence.disconnected(elsewhere);
  presence.connected(elsewhere);
  expect(lines).toHaveLength(3);
});

test("one that takes what it rejected is told of as any other, unless it rejects more", () => {
  presence.rejects("a", type);
  presence.rejects("a", "type.test/Other");
  presence.takes("a", type);
  presence.disconnected(stream);
  presence.connected(stream);
  expect(lines).toHaveLength(1);
  presence.takes("a", "type.test/Other");
  presence.disconnected(stream);
  expect(lines.slice(1)).toEqual(["node disconnected 10.0.0.1:5"]);
});

test("no more than a thousand are waited for at a time", () => {
  const streams = Array.from({ length: 1_001 }, (_, i) => ({ node: `n${i}`, peer: "10.0.0.2:7" }));
  for (const one of streams) {
    presence.connected(one);
    presence.rejects(one.node, type);
  }
  lines = [];
  for (const one of streams) presence.disconnected(one);
  expect(lines).toEqual(["node disconnected 10.0.0.2:7"]);
});
