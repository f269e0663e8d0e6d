import { create } from "@bufbuild/protobuf";
import { type Observation, type ObservedRequest, ObservedRequestSchema } from "@keelson/protos/telemetry";
import { expect, test } from "vitest";
import { ObservationHub, type Observer } from "./observation-hub.ts";

/** A node, and what it was told last. */
class Node {
  wanted: readonly Observation[] = [];

  want(observations: readonly Observation[]): void {
    this.wanted = observations;
  }
}

class Watcher implements Observer {
  readonly seen: string[] = [];

  onRequests(node: string, requests: readonly ObservedRequest[], lost: number): void {
    this.seen.push(`${node}: ${requests.map(({ path }) => path).join()} ${lost}`);
  }

  onEnded(node: string, why: string): void {
    this.seen.push(`${node}: ${why}`);
  }
}

const wanted = { every: 1, from: "", to: "", status: "", route: "" };
const request = (path: string): ObservedRequest => create(ObservedRequestSchema, { path });

test("a node is told who wants what, and each gets his own", () => {
  const hub = new ObservationHub();
  const node = new Node();
  const joined = hub.join("n1", node);
  const [first, second] = [new Watcher(), new Watcher()];
  const endFirst = hub.observe(["n1"], wanted, first);
  const endSecond = hub.observe(["n1"], { ...wanted, every: 7, status: "5xx" }, second);
  expect(node.wanted).toMatchObject([{ every: 1 }, { every: 7, status: "5xx" }]);
  const [one, two] = node.wanted.map(({ id }) => id);
  joined.take(one ?? 0, [request("/a")], 0);
  joined.take(two ?? 0, [request("/b")], 3);
  expect(first.seen).toEqual(["n1: /a 0"]);
  expect(second.seen).toEqual(["n1: /b 3"]);
  endFirst();
  expect(node.wanted.map(({ id }) => id)).toEqual([two]);
  joined.take(one ?? 0, [request("/late")], 0);
  expect(first.seen).toHaveLength(1);
  endSecond();
  expect(node.wanted).toEqual([]);
});

test("who observes several nodes is told of each that goes", () => {
  const hub = new ObservationHub();
  const nodes = [new Node(), new Node()];
  const joined = nodes.map((node, i) => hub.join(`n${i}`, node));
  const watcher = new Watcher();
  const end = hub.observe(hub.nodes(), wanted, watcher);
  joined[0]?.end("gone");
  joined[0]?.end("twice");
  expect(watcher.seen).toEqual(["n0: gone"]);
  expect(hub.nodes()).toEqual(["n1"]);
  end();
  expect(nodes.map((node) => node.wanted.length)).toEqual([1, 0]);
});

test("a node that comes again takes the place of itself", () => {
  const hub = new ObservationHub();
  const before = hub.join("n1", new Node());
  const watcher = new Watcher();
  hub.observe(["n1"], wanted, watcher);
  hub.join("n1", new Node());
  expect(watcher.seen).toEqual(["n1: it connected anew"]);
  before.end("late");
  expect(hub.nodes()).toEqual(["n1"]);
});

test("nodes and observers are bounded, and who is not there is named", () => {
  const hub = new ObservationHub({ nodes: 1, observations: 1 });
  hub.join("n1", new Node());
  expect(() => hub.join("n2", new Node())).toThrow("1 other nodes are there already");
  expect(() => hub.observe(["n2"], wanted, new Watcher())).toThrow("node n2 is not connected");
  hub.observe(["n1"], wanted, new Watcher());
  expect(() => hub.observe(["n1"], wanted, new Watcher())).toThrow("observed by 1 others");
});
