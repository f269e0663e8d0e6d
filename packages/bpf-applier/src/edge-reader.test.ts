import { countTryObjectPath } from "@keelson/bpf/object";
import { BpfObject } from "bpf-maps-native";
import { expect } from "vitest";
import { countAnswer, countRequest } from "./count-try.test-helper.ts";
import { EdgeNames } from "./edge-names.ts";
import { EdgeReader } from "./edge-reader.ts";
import { kernelTest } from "./kernel.test-helper.ts";
import { workloadIdentifier } from "./pods/pod-map.ts";
import type { RelayEdge } from "./relay/relay.ts";
import type { Named } from "./service-table.ts";

const address = "10.0.0.1:9080";
const source = workloadIdentifier("shop/web");
const names = new Map<bigint, Named>([
  [2n, { kind: "service", hostname: "reviews", port: 9080 }],
  [3n, { kind: "endpoint", address, workload: "shop/reviews-v1", labels: ["version=v1"] }],
  [4n, { kind: "route", name: "jason" }],
  [5n, { kind: "route", name: "canary" }],
]);

const relayed = (part: Partial<RelayEdge>): RelayEdge => ({
  workload: source,
  service: 2n,
  endpoint: address,
  route: "canary",
  statusClass: 2,
  requests: 10n,
  bytesSent: 1n,
  bytesReceived: 2n,
  latency: [16, 10],
  latencySumUs: 165n,
  ...part,
});

/** Programs that have counted nothing, and a reader that knows these pods. */
async function counting(stack: AsyncDisposableStack, pods: readonly string[]) {
  const object = stack.use(await BpfObject.open(countTryObjectPath));
  await object.load();
  const edges = stack.use(object.map("edges"));
  const answers = stack.use(object.map("answers"));
  const edgeNames = new EdgeNames();
  edgeNames.learn(names);
  edgeNames.learnWorkloads(pods);
  return { object, reader: new EdgeReader({ edges, answers }, edgeNames) };
}

kernelTest("what programs and a relay count of one edge stands together", async () => {
  await using stack = new AsyncDisposableStack();
  const { object, reader } = await counting(stack, ["shop/web"]);
  const edge = { source, service: 2n, endpoint: 3n };
  await countRequest(object, { ...edge, bytes: 70 });
  await countAnswer(object, { ...edge, route: 4n, status: 200, microseconds: 8, bytes: 100 });
  await countAnswer(object, { ...edge, route: 5n, status: 200, microseconds: 8, bytes: 3 });
  await countAnswer(object, { ...edge, service: 9n, status: 404, microseconds: 8 });
  const told = await reader.read([relayed({}), relayed({ endpoint: "", route: "", statusClass: 4 })]);
  expect(told.map(({ service, endpoint, requests }) => [service, endpoint, requests])).toEqual([
    ["#0000000000000009", address, { 4: 1n }],
    ["reviews", "", { 4: 10n }],
    ["reviews", address, { 2: 12n }],
  ]);
  expect(told[2]).toMatchObject({
    source: "shop/web",
    port: 9080,
    workload: "shop/reviews-v1",
    labels: ["version=v1"],
    sentRequests: 1n,
    sentRequestBytes: 70n,
  });
  const answered = told[2]?.answered.toSorted((a, b) => (a.route < b.route ? -1 : 1));
  expect(answered).toMatchObject([
    {
      route: "canary",
      statusClass: 2,
      requests: 11n,
      sentBytes: 1n,
      receivedBytes: 5n,
      latency: [8n, 1n, 16n, 10n],
      latencySumUs: 173n,
    },
    { route: "jason", statusClass: 2, requests: 1n, sentBytes: 0n, receivedBytes: 100n, latency: [8n, 1n] },
  ]);
  const others = new Map([...names].filter(([identifier]) => identifier !== 5n));
  await reader.prune(others, ["shop/web"]);
  const left = await reader.read();
  expect(left.map(({ service }) => service)).toEqual(["reviews"]);
  expect(left[0]?.answered.map(({ route }) => route)).toEqual(["jason"]);
});

kernelTest(
  "what is counted of a pod goes once the pod is gone, so that there is room for those after it",
  async () => {
    await using stack = new AsyncDisposableStack();
    const pods = ["shop/job-1", "shop/job-2"];
    const { object, reader } = await counting(stack, pods);
    const callers = [0n, ...pods.map(workloadIdentifier)];
    for (const edge of callers.map((caller) => ({ source: caller, service: 2n, endpoint: 3n }))) {
      await countRequest(object, { ...edge, bytes: 70 });
      await countAnswer(object, { ...edge, route: 4n, status: 200, microseconds: 8, bytes: 100 });
    }
    expect(await reader.prune(names, ["shop/job-2"])).toBe(1);
    const left = await reader.read();
    expect(left.map((edge) => [edge.source, edge.sentRequests, edge.answered.length])).toEqual([
      ["", 1n, 1],
      ["shop/job-2", 1n, 1],
    ]);
  },
);
