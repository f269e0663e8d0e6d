import { formatAddress } from "@keelson/model";
import type { PolicyIr } from "@keelson/protos";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EnvoyGenerator } from "./generator.ts";
import { isExportedTo } from "./index/services.ts";
import type { ProxyNode } from "./proxy-node.ts";
import { aProxy, withAgent } from "./testing/proxies.ts";
import { randomIr } from "./testing/random-ir.ts";
import { faultsOf } from "./testing/sanity.ts";
import { envoyTypeUrls } from "./type-urls.ts";

const seed = fc.integer({ min: 0, max: 0xffff_ffff });

/** One of each kind; the first beside the first endpoint that has a workload. */
function proxiesOf(ir: PolicyIr): ProxyNode[] {
  const [workload] = ir.workloads.values();
  const { name = "default/none", namespace = "default", addresses = [] } = workload ?? {};
  const address = addresses[0] === undefined ? "10.244.255.1" : formatAddress(addresses[0]);
  const domain = `${namespace}.svc.cluster.local`;
  return [
    aProxy({
      id: `sidecar~${address}~${name.split("/")[1]}.${namespace}~${domain}`,
      metadata: withAgent,
      locality: { region: "east", zone: "a" },
    }),
    aProxy({
      id: "sidecar~10.0.0.9~c.bank~bank.svc.cluster.local",
      metadata: { INTERCEPTION_MODE: "TPROXY", HTTP_PROXY_PORT: "3128", HTTP10: "1" },
    }),
    aProxy({ id: "router~10.0.0.9~gw.shop~shop.svc.cluster.local", metadata: { LABELS: { version: "v1" } } }),
    aProxy({ id: "plain" }),
    aProxy({
      id: "waypoint~10.0.0.9~waypoint-1.default~default.svc.cluster.local",
      metadata: { ...withAgent, LABELS: { "gateway.networking.k8s.io/gateway-name": "waypoint" } },
    }),
  ];
}

const versions = (ir: PolicyIr, proxy: ProxyNode, generator = new EnvoyGenerator()): string[] => {
  const view = generator.view(ir, proxy);
  return Object.entries(envoyTypeUrls).flatMap(([type, typeUrl]) =>
    [...view.resources(typeUrl).values()].map(({ name, version }) => `${type} ${name} ${version}`),
  );
};

test("Envoy has nothing to say against the resources of any mesh", () => {
  fc.assert(
    fc.property(seed, fc.boolean(), (number, tls) => {
      const ir = randomIr(number, { tls });
      const generator = new EnvoyGenerator();
      for (const proxy of proxiesOf(ir)) {
        const cannotBeThere = (cluster: string): boolean => {
          const service = ir.services.get(cluster.split("|")[3] ?? "");
          return service === undefined || !isExportedTo(service, proxy.namespace);
        };
        expect(faultsOf(generator.view(ir, proxy), cannotBeThere)).toEqual([]);
      }
    }),
    { numRuns: 30 },
  );
});

test("equal meshes give equal bytes", () => {
  fc.assert(
    fc.property(seed, (number) => {
      for (const proxy of proxiesOf(randomIr(number))) {
        expect(versions(randomIr(number), proxy)).toEqual(versions(randomIr(number), proxy));
      }
    }),
    { numRuns: 20 },
  );
});

const parts = [
  "services",
  "endpointSets",
  "workloads",
  "routeTables",
  "hostPolicies",
  "gateways",
  "sidecarScopes",
  "peerAuthentications",
] as const;
type Part = (typeof parts)[number];

/** Some of one mesh's part, some of the other's. */
function mixed(a: PolicyIr, b: PolicyIr, part: Part, every: number): PolicyIr {
  const kept = [...a[part]].filter((_, i) => i % 3 !== every % 3);
  const added = [...b[part]].filter((_, i) => i % 2 === every % 2);
  const entries = [...kept, ...added] as [string, unknown][];
  const sorted = part === "services" ? entries.sort(([x], [y]) => (x < y ? -1 : 1)) : entries;
  return { ...a, [part]: new Map(sorted) };
}

test("what follows one snapshot from another is what comes from the last alone", () => {
  const steps = fc.array(fc.record({ part: fc.constantFrom(...parts, "mesh" as const), seed }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(seed, steps, (first, changes) => {
      let ir = randomIr(first);
      const proxies = proxiesOf(ir);
      const following = new EnvoyGenerator();
      for (const { part, seed: number } of changes) {
        const other = randomIr(number);
        ir = part === "mesh" ? { ...ir, mesh: other.mesh } : mixed(ir, other, part, number);
        for (const proxy of proxies) expect(versions(ir, proxy, following)).toEqual(versions(ir, proxy));
      }
    }),
    { numRuns: 30 },
  );
});
