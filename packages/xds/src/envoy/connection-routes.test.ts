import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { aHostPolicy, aRouteTable, aService } from "./testing/builders.ts";
import { decoded, summariesOf } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";
import { chainsOf, filtersOf } from "./testing/references.ts";

const db = "db.default.svc.cluster.local";
const tcp = aService("db", {
  addresses: ["10.96.0.7"],
  ports: [{ port: 5432, applicationProtocol: Protocol.TCP }],
});
const tls = aService("web", {
  hostname: "web.example.com",
  addresses: [],
  ports: [{ port: 443, applicationProtocol: Protocol.TLS }],
});
const to = (hostname: string, subset: string, weight = 0) => ({ hostname, subset, weight });

test("connections are shared out by weight", () => {
  const table = aRouteTable("VirtualService/default/db", {
    hosts: [db],
    tcp: [{ destinations: [to(db, "v1", 9), to(db, "v2", 1)] }],
  });
  expect(summariesOf(decoded({ services: [tcp], routeTables: [table] }).listener("10.96.0.7_5432"))).toEqual([
    `clusters outbound|5432|v1|${db}=9 outbound|5432|v2|${db}=1`,
  ]);
});

test("rules for some destinations stand before what takes the rest", () => {
  const table = aRouteTable("VirtualService/default/db", {
    hosts: [db],
    tcp: [{ matches: [{ destinationSubnets: ["10.1.2.3/8", "10.96.0.7"] }], destinations: [to(db, "v1")] }],
  });
  const listener = decoded({ services: [tcp], routeTables: [table] }).listener("10.96.0.7_5432");
  expect(summariesOf(listener)).toEqual([`cluster outbound|5432|v1|${db}`, `cluster outbound|5432||${db}`]);
  expect(listener.filterChains[0]?.filterChainMatch?.prefixRanges).toMatchObject([
    { addressPrefix: "10.0.0.0", prefixLen: 8 },
    { addressPrefix: "10.96.0.7", prefixLen: 32 },
  ]);
});

test("rules for other callers and ports do not count", () => {
  const table = aRouteTable("VirtualService/default/db", {
    hosts: [db],
    tcp: [
      { matches: [{ port: 1 }], destinations: [to(db, "v1")] },
      { matches: [{ source: { labels: { app: "web" } } }], destinations: [to(db, "v2")] },
    ],
  });
  const target = (app: string) =>
    summariesOf(
      decoded({ services: [tcp], routeTables: [table] }, aProxy({ metadata: { LABELS: { app } } })).listener(
        "10.96.0.7_5432",
      ),
    );
  expect(target("web")).toEqual([`cluster outbound|5432|v2|${db}`]);
  expect(target("other")).toEqual([`cluster outbound|5432||${db}`]);
});

test("TLS is told by server name, each name in one chain only", () => {
  const table = aRouteTable("VirtualService/default/web", {
    hosts: ["web.example.com"],
    tls: [
      {
        matches: [{ sniHosts: ["A.example.com", "b.example.com"] }],
        destinations: [to("web.example.com", "")],
      },
      {
        matches: [{ sniHosts: ["b.example.com", "c.example.com"] }],
        destinations: [to("other.example.com", "")],
      },
    ],
  });
  const { filterChains } = decoded({ services: [tls], routeTables: [table] }).listener("0.0.0.0_443");
  expect(filterChains.map(({ filterChainMatch }) => filterChainMatch?.serverNames)).toEqual([
    ["a.example.com", "b.example.com"],
    ["c.example.com"],
  ]);
});

test("a policy's idle timeout and source hash are the listener's", () => {
  const policy = aHostPolicy("DestinationRule/default/db", {
    hostname: db,
    policy: {
      connectionPool: { tcpIdleTimeoutMs: 60_000n, maxConnectionDurationMs: 90_000n },
      loadBalancer: { consistentHash: { key: { case: "useSourceIp", value: true } } },
    },
  });
  const listener = decoded({ services: [tcp], hostPolicies: [policy] }).listener("10.96.0.7_5432");
  const [proxy] = chainsOf(listener).flatMap((chain) => filtersOf(chain).proxies);
  expect(proxy).toMatchObject({
    idleTimeout: { seconds: 60n },
    maxDownstreamConnectionDuration: { seconds: 90n },
    hashPolicy: [{ policySpecifier: { case: "sourceIp" } }],
  });
});

test("a connection to a host that nobody knows is led to a cluster that is not there, so that it fails", () => {
  const table = aRouteTable("VirtualService/default/db", {
    hosts: [db],
    tcp: [{ destinations: [to("nobody.example.com", "")] }],
  });
  const resources = decoded({ services: [tcp], routeTables: [table] });
  expect(summariesOf(resources.listener("10.96.0.7_5432"))).toEqual([
    "cluster outbound|5432||nobody.example.com",
  ]);
  expect(resources.names("cluster")).not.toContain("outbound|5432||nobody.example.com");
});
