import type { EndpointSet } from "@keelson/protos/policy";
import { workloadIdentifier } from "../pods/pod-map.ts";
import { setsOfPort } from "../service-table.ts";
import type { StagedUpdate, TableChanges } from "../staged-update.ts";
import type { RelayPolicy, RelayService } from "./relay.ts";

/** What a relay answers by that was told nothing. */
export const emptyRelayPolicy: RelayPolicy = {
  services: new Map(),
  endpointSets: new Map(),
  workloads: new Map(),
};

/**
 * What a relay answers by once an update is taken over, of which parts that did not change are the same objects.
 * @returns the policy before, itself, if the update is nothing to the relay
 */
export function relayPolicyAfter(before: RelayPolicy, staged: StagedUpdate): RelayPolicy {
  const services = servicesAfter(before.services, staged.changes);
  if (services.size === 0 && before.services.size === 0) return before;
  const isTouched = [...services.values(), ...before.services.values()].some(({ hostname }) =>
    staged.changes.has(hostname),
  );
  // Workloads that came before the first service are held, but were not told.
  const isFirst = before.services.size === 0;
  if (!isTouched && !staged.workloadsChanged) return before;
  return {
    services,
    endpointSets: isTouched ? setsOf(services.values(), staged) : before.endpointSets,
    workloads:
      staged.workloadsChanged || isFirst
        ? new Map(Array.from(staged.workloads(), (one) => [workloadIdentifier(one.name), one]))
        : before.workloads,
  };
}

/** Ports that have lost their routes stay as long as they are there: connections to them may be open. */
function servicesAfter(
  before: ReadonlyMap<bigint, RelayService>,
  changes: TableChanges,
): ReadonlyMap<bigint, RelayService> {
  const after = new Map(before);
  for (const [identifier, { hostname }] of before) {
    if (!changes.has(hostname)) continue;
    if (changes.get(hostname)?.ports.has(identifier) !== true) after.delete(identifier);
  }
  for (const table of changes.values())
    for (const [identifier, { hostname, port, isRelayed, switchedRules }] of table?.ports ?? []) {
      const known = before.get(identifier);
      const isNew = known === undefined ? isRelayed : known.port !== port || !isEqual(known, switchedRules);
      if (isNew) after.set(identifier, { hostname, port, switchedRules });
    }
  return after;
}

const isEqual = ({ switchedRules: known }: RelayService, rules: readonly number[]): boolean =>
  known.join() === rules.join();

function setsOf(services: Iterable<RelayService>, { endpointSet }: StagedUpdate): Map<string, EndpointSet> {
  const sets = new Map<string, EndpointSet>();
  for (const { port } of services)
    for (const name of setsOfPort(port)) {
      const set = endpointSet(name);
      if (set !== undefined) sets.set(name, set);
    }
  return sets;
}
