import { create } from "@bufbuild/protobuf";
import { DestinationSchema, PortRouteSchema, type Service } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { endpoint, endpointSetsUpdate, service, servicesUpdate } from "../builders.test-helper.ts";
import { PolicyStore } from "../policy-store.ts";
import type { RelayPolicy } from "./relay.ts";
import { emptyRelayPolicy, relayPolicyAfter } from "./relay-policy.ts";

/** Whose requests are decided one by one, by a route to `set`. */
function routed(hostname: string, set: string): Service {
  const plain = service(hostname, { to: { all: 1 } });
  for (const port of plain.ports)
    port.routes = [
      create(PortRouteSchema, { destinations: [create(DestinationSchema, { endpointSet: set, weight: 1 })] }),
    ];
  return plain;
}

/** Takes updates one after the other. @returns the policies after each */
function follow(hasRelay: boolean, ...updates: Parameters<PolicyStore["stage"]>[0][]): RelayPolicy[] {
  const store = new PolicyStore({ hasRelay });
  let policy = emptyRelayPolicy;
  return updates.map((update) => {
    const staged = store.stage(update);
    policy = relayPolicyAfter(policy, staged);
    staged.commit();
    return policy;
  });
}

const hostnames = ({ services }: RelayPolicy): string[] =>
  [...services.values()].map(({ hostname }) => hostname);
const sets = endpointSetsUpdate({ all: [endpoint("10.0.0.1")], some: [], other: [] });

test("a relay is told of ports with routes, and of the sets that these name", () => {
  const [before, after] = follow(true, sets, servicesUpdate([routed("a", "some"), service("b")]));
  expect(before).toBe(emptyRelayPolicy);
  expect(hostnames(after ?? emptyRelayPolicy)).toEqual(["a"]);
  expect([...(after?.endpointSets.keys() ?? [])].sort()).toEqual(["all", "some"]);
});

test("a change of endpoints leaves the service's port as it is, and one of another service all", () => {
  const [, first, second, third] = follow(
    true,
    sets,
    servicesUpdate([routed("a", "some"), service("b")]),
    endpointSetsUpdate({ some: [endpoint("10.0.0.2")] }),
    servicesUpdate([service("b", { port: 81 })]),
  );
  expect([...(second?.services.values() ?? [])][0]).toBe([...(first?.services.values() ?? [])][0]);
  expect(second?.endpointSets.get("some")?.endpoints).toHaveLength(1);
  expect(second?.endpointSets.get("all")).toBe(first?.endpointSets.get("all"));
  expect(third).toBe(second);
});

test("a port that loses its routes stays for the connections that are there, until it is gone itself", () => {
  const [, , plain, gone] = follow(
    true,
    sets,
    servicesUpdate([routed("a", "some")]),
    servicesUpdate([service("a")]),
    servicesUpdate([], ["a"]),
  );
  expect([...(plain?.services.values() ?? [])].map(({ port }) => port.routes)).toEqual([[]]);
  expect(gone?.services.size).toBe(0);
});

test("a node without a relay has nothing to tell one", () => {
  const [, after] = follow(false, sets, servicesUpdate([routed("a", "some")]));
  expect(after).toBe(emptyRelayPolicy);
});
