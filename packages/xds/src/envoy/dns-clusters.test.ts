import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as Family,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { aHostPolicy, anEndpointSet, aService } from "./testing/builders.ts";
import { decoded } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";

const name = "outbound|443||api.example.com";
const outside = (resolution: Resolution) =>
  aService("api", {
    hostname: "api.example.com",
    addresses: [],
    resolution,
    meshExternal: true,
    ports: [{ port: 443, applicationProtocol: Protocol.TLS }],
  });
const hosts = (resolution: Resolution, names: string[]) =>
  decoded({
    services: [outside(resolution)],
    endpointSets:
      names.length === 0
        ? []
        : [
            anEndpointSet(
              name,
              names.map((hostname) => ({ hostname, port: 8443 })),
            ),
          ],
  })
    .cluster(name)
    .loadAssignment?.endpoints.flatMap(({ lbEndpoints }) =>
      lbEndpoints.map(({ hostIdentifier }) =>
        hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address.value : undefined,
      ),
    );

test("names of endpoints are looked up, all of them", () => {
  expect(decoded({ services: [outside(Resolution.DNS)] }).cluster(name).clusterDiscoveryType.value).toBe(
    DiscoveryType.STRICT_DNS,
  );
  expect(hosts(Resolution.DNS, ["a.example.net", "b.example.net"])).toMatchObject([
    { address: "a.example.net", portSpecifier: { value: 8443 } },
    { address: "b.example.net" },
  ]);
});

test("a service without endpoints stands for its own name", () => {
  expect(hosts(Resolution.DNS, [])).toMatchObject([
    { address: "api.example.com", portSpecifier: { value: 443 } },
  ]);
});

test("one address at a time: a logical cluster of one name", () => {
  expect(hosts(Resolution.DNS_ROUND_ROBIN, ["a.example.net", "b.example.net"])).toMatchObject([
    { address: "a.example.net" },
  ]);
});

test("a logical cluster has its name even if a rule gives the name's place no share", () => {
  const loadBalancer = { locality: { distribute: [{ from: "*", to: { "west/*": 100 } }] } };
  const resources = decoded(
    {
      services: [outside(Resolution.DNS_ROUND_ROBIN)],
      endpointSets: [anEndpointSet(name, [{ hostname: "a.example.net", locality: "east/a" }])],
      hostPolicies: [
        aHostPolicy("DestinationRule/default/api", { hostname: "api.example.com", policy: { loadBalancer } }),
      ],
    },
    aProxy({ locality: { region: "east" } }),
  );
  expect(resources.cluster(name).loadAssignment?.endpoints).toHaveLength(1);
});

test("names are looked up in the families that the proxy speaks", () => {
  const family = (INSTANCE_IPS: string) =>
    decoded({ services: [outside(Resolution.DNS)] }, aProxy({ metadata: { INSTANCE_IPS } })).cluster(name)
      .dnsLookupFamily;
  expect([family("10.0.0.1"), family("fd00::1"), family("10.0.0.1,fd00::1")]).toEqual([
    Family.V4_ONLY,
    Family.V6_ONLY,
    Family.ALL,
  ]);
});

test("a static cluster never gets names", () => {
  const services = [outside(Resolution.STATIC)];
  const endpointSets = [
    anEndpointSet(name, [
      { hostname: "a.example.net", port: 1 },
      { address: "10.0.0.9", port: 2 },
    ]),
  ];
  const { endpoints } = decoded({ services, endpointSets }).endpoints(name);
  expect(endpoints.flatMap(({ lbEndpoints }) => lbEndpoints)).toHaveLength(1);
});
