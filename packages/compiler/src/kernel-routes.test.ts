import {
  application,
  destinationRule,
  type Manifest,
  service,
  toSubset,
  virtualService,
} from "@keelson/model/testing";
import { expect, test } from "vitest";
import type { PortExplanation } from "./explanation.ts";
import { compile } from "./testing/compile.ts";

const [, ...behind] = application("reviews");

/** What is said of a port named so, with these routes. */
const explained = (portName: string, routes: readonly object[], ...others: Manifest[]): PortExplanation =>
  compile(
    service({ ports: [{ name: portName, port: 9080 }] }),
    ...behind,
    ...others,
    virtualService({ spec: { http: routes } }),
  ).explain("reviews");

const tiersOf = ({ rules }: PortExplanation) =>
  rules.map(({ carried }) => [carried?.tier, carried?.relayedBecause]);

const both = [toSubset("v1", 80), toSubset("v2", 20)];
const subsets = [1, 2, 3].map((n) => ({ name: `v${n}`, labels: { version: `v${n}` } }));
const withPolicy = (trafficPolicy: object): Manifest => destinationRule({ spec: { subsets, trafficPolicy } });
const host = destinationRule({ spec: { subsets } });
const onHeader = { match: [{ headers: { a: { exact: "b" } } }], route: [toSubset("v1", 100)] };

test("weights and conditions alone are the kernel's", () => {
  const found = explained("http", [onHeader, { route: both }], host);
  expect(tiersOf(found)).toEqual([
    ["kernel", undefined],
    ["kernel", undefined],
  ]);
  expect(found.matching).toMatch(/^one automaton of /);
});

test("a route that asks for more is the relay's, and leaves those beside it in the kernel", () => {
  const found = explained("http", [{ ...onHeader, timeout: "1s" }, { route: both }], host);
  expect(tiersOf(found)).toEqual([
    ["relay", "it sets a timeout"],
    ["kernel", undefined],
  ]);
  expect(found.wantedTier).toBe("relay");
});

test.each([
  [{ loadBalancer: { simple: "PASSTHROUGH" } }, /passing through to the dialled address/],
  [{ loadBalancer: { consistentHash: { httpHeaderName: ":path" } } }, /by a header whose name is not plain/],
  [
    { loadBalancer: { consistentHash: { httpQueryParameterName: "a&b" } } },
    /by a query whose name is not plain/,
  ],
  [
    { loadBalancer: { consistentHash: { httpHeaderName: "a", ringHash: { minimumRingSize: 4_097 } } } },
    /a ring of more than 4096 points/,
  ],
  [{ connectionPool: { tcp: { maxConnections: 1 } } }, /connection pool limits/],
  [{ outlierDetection: {} }, /outlier detection/],
  [{ tls: { mode: "SIMPLE" } }, /TLS towards the host/],
])("what a policy asks for beside a choice is the relay's: %j", (policy, why) => {
  expect(tiersOf(explained("http", [{ route: both }], withPolicy(policy)))).toEqual([
    ["relay", expect.stringMatching(why)],
  ]);
});

test.each(["RANDOM", "ROUND_ROBIN", "LEAST_REQUEST"])("programs choose by %s", (simple) => {
  const policy = withPolicy({ loadBalancer: { simple } });
  expect(tiersOf(explained("http", [{ route: both }], policy))).toEqual([["kernel", undefined]]);
});

const byKey = (consistentHash: object) => ({ loadBalancer: { consistentHash } });

test.each([
  { httpHeaderName: "x-user" },
  { httpCookie: { name: "user", ttl: "0s" } },
  { httpQueryParameterName: "user" },
  { useSourceIp: true, maglev: { tableSize: 65_537 } },
])("programs find endpoints by a key: %j", (consistentHash) => {
  expect(tiersOf(explained("http", [{ route: both }], withPolicy(byKey(consistentHash))))).toEqual([
    ["kernel", undefined],
  ]);
});

test("destinations with different keys are the relay's", () => {
  const [v1, v2, v3] = subsets;
  const spec = {
    subsets: [
      { ...v1, trafficPolicy: byKey({ httpHeaderName: "a" }) },
      { ...v2, trafficPolicy: byKey({ httpHeaderName: "b" }) },
      v3,
    ],
  };
  expect(tiersOf(explained("http", [{ route: both }], destinationRule({ spec })))).toEqual([
    ["relay", "its destination's policy asks for consistent hashing by more than one key"],
  ]);
});

test("a policy of a destination that gets nothing is no reason", () => {
  const spec = {
    subsets: subsets.map((subset) =>
      subset.name === "v3" ? { ...subset, trafficPolicy: { outlierDetection: {} } } : subset,
    ),
  };
  const route = [...both, toSubset("v3", 0)];
  expect(tiersOf(explained("http", [{ route }], destinationRule({ spec })))).toEqual([["kernel", undefined]]);
});

test("a port whose bytes or conditions programs do not read is the relay's as a whole", () => {
  const grpc = explained("grpc", [{ route: both }], host);
  expect(tiersOf(grpc)).toEqual([["relay", undefined]]);
  expect(grpc.matching).toBe("not in the kernel: its callers speak GRPC, and programs read HTTP/1.1");
  const match = [{ queryParams: { a: { exact: "1" } } }];
  const query = explained("http", [{ match, route: both }, { route: both }], host);
  expect(tiersOf(query).map(([tier]) => tier)).toEqual(["relay", "relay"]);
  expect(query.matching).toBe("not in the kernel: the automaton of its rules looks at query parameters");
});

test("who explains piece by piece may say what becomes of the automaton", () => {
  const { compiled } = compile(
    service({ ports: [{ name: "http", port: 9080 }] }),
    ...behind,
    virtualService({ spec: { http: [onHeader] } }),
  );
  const explaining = compiled.explaining("reviews.default.svc.cluster.local");
  const asked = explaining?.next().value;
  expect(asked).toMatchObject({ routes: [{ $typeName: "keelson.policy.v1.HttpRoute" }] });
  let step = explaining?.next({ unfit: "is too large" });
  while (step?.done === false) step = explaining?.next();
  expect(step?.value).toMatchObject({
    ports: [
      {
        matching: "not in the kernel: the automaton of its rules is too large",
        rules: [{ carried: { tier: "relay" } }],
      },
    ],
  });
});
