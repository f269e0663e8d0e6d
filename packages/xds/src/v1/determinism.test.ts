import { formatAddress } from "@keelson/model";
import type { PolicyIr } from "@keelson/protos";
import fc from "fast-check";
import { expect, test } from "vitest";
import { randomIr } from "../envoy/testing/random-ir.ts";
import type { Age } from "./age.ts";
import { V1Discovery } from "./discovery.ts";
import { goJson } from "./go-json.ts";
import { parseServiceNode } from "./service-node.ts";
import type { Cluster, VirtualHost } from "./testing/answers.ts";

const domain = "default.svc.cluster.local";

/** A sidecar beside each of a few workloads, and one of each other kind. */
function nodesOf(ir: PolicyIr, age: Age): ReturnType<typeof parseServiceNode>[] {
  const addresses = [...ir.endpointSets.values()].flatMap(({ endpoints }) =>
    endpoints.flatMap(({ address }) => (address.length === 0 ? [] : [formatAddress(address)])),
  );
  const sidecars = [...new Set(addresses)]
    .slice(0, 3)
    .map((address) => `sidecar~${address}~a.default~${domain}`);
  return [...sidecars, `ingress~10.0.0.1~a.b~${domain}`, `sidecar~10.0.0.1~a.b~${domain}`].map((text) =>
    parseServiceNode(text, age),
  );
}

function allAnswers(ir: PolicyIr, age: Age): string[] {
  const discovery = new V1Discovery(ir, age);
  return [
    goJson(discovery.registration()),
    ...nodesOf(ir, age).flatMap((node) => [
      goJson(discovery.clusters(node)),
      goJson(discovery.listeners(node)),
      ...["80", "http_proxy"].map((name) => goJson(discovery.routes(name, node))),
    ]),
  ];
}

const ages = fc.constantFrom<Age>("0.2", "0.7");

test("equal policy gives equal answers, whatever was asked before", () => {
  fc.assert(
    fc.property(fc.nat(10_000), ages, (seed, age) => {
      expect(allAnswers(randomIr(seed), age)).toEqual(allAnswers(randomIr(seed), age));
    }),
    { numRuns: 30 },
  );
});

test("the order in which services, endpoint sets and workloads stand does not matter", () => {
  const turned = <Value>(map: ReadonlyMap<string, Value>): Map<string, Value> =>
    new Map([...map].toReversed());
  fc.assert(
    fc.property(fc.nat(10_000), ages, (seed, age) => {
      const ir = randomIr(seed);
      const other = {
        ...ir,
        services: turned(ir.services),
        endpointSets: turned(ir.endpointSets),
        workloads: turned(ir.workloads),
      };
      const [first, second] = [new V1Discovery(ir, age), new V1Discovery(other, age)];
      for (const node of nodesOf(ir, age)) {
        expect(goJson(second.clusters(node))).toBe(goJson(first.clusters(node)));
        expect(goJson(second.listeners(node))).toBe(goJson(first.listeners(node)));
      }
    }),
    { numRuns: 30 },
  );
});

test("every cluster that a route names is there, each name once, and every route takes something", () => {
  fc.assert(
    fc.property(fc.nat(10_000), ages, (seed, age) => {
      const ir = randomIr(seed);
      const discovery = new V1Discovery(ir, age);
      for (const node of nodesOf(ir, age)) {
        const { clusters } = discovery.clusters(node) as { clusters: Cluster[] };
        const names = clusters.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        const { virtual_hosts: hosts } = discovery.routes("http_proxy", node) as {
          virtual_hosts: VirtualHost[];
        };
        const domains = hosts.flatMap((host) => host.domains);
        expect(new Set(domains).size).toBe(domains.length);
        for (const { cluster, weighted_clusters: weighted, path, prefix } of hosts.flatMap(
          ({ routes }) => routes,
        )) {
          const used = [
            ...(cluster === undefined ? [] : [cluster]),
            ...(weighted?.clusters ?? []).map(({ name }) => name),
          ];
          expect(names).toEqual(expect.arrayContaining(used));
          expect([path, prefix].filter((part) => part !== undefined)).toHaveLength(1);
          if (weighted !== undefined) {
            expect(weighted.clusters.reduce((sum, { weight }) => sum + weight, 0)).toBe(100);
          }
        }
      }
    }),
    { numRuns: 30 },
  );
});
