import {
  switchedRuleKey,
  switchedRuleValue,
  switchedServiceKey,
  switchedServiceValue,
  tableSize,
} from "@keelson/bpf";
import { whyRelayed, whyUnread } from "@keelson/compiler/kernel-routes";
import { type Family, familyOf } from "@keelson/model";
import type { Destination, Endpoint, PortRoute, ServicePort } from "@keelson/protos/policy";
import { LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { identifierOf } from "../identifier.ts";
import { type EndpointSets, type Entry, isReachable, type Share, slotEntries, spread } from "../slots.ts";
import type { MatchTable, Unfit } from "./match-table.ts";

/** What the maps hold of a port whose requests programs take off the way to the relay. */
export interface SwitchedPort {
  readonly table: MatchTable;
  readonly service: Entry;
  readonly rules: readonly Entry[];
  readonly slots: readonly Entry[];
  /** Numbers of the routes that programs carry, from 1 on; those without an endpoint are among them. */
  readonly numbers: readonly number[];
}

/** Why a port is the relay's as a whole. */
export interface UnswitchedPort {
  readonly why: string;
}

/** Of a port with routes. */
export interface PortFacts {
  /** `service` in keys. */
  readonly identifier: bigint;
  readonly port: ServicePort;
  /** Of the addresses that are dialled; each has rules of its own. */
  readonly families: readonly Family[];
  readonly endpointSets: EndpointSets;
}

/** @param tableOf asked only for a port that has a route for programs */
export function switchedPort(
  { identifier, port, families, endpointSets }: PortFacts,
  tableOf: (port: ServicePort) => MatchTable | Unfit,
): SwitchedPort | UnswitchedPort {
  const unread = whyUnread(port.applicationProtocol);
  if (unread !== undefined) return { why: unread };
  const reasons = port.routes.map(whyRouteIsRelayed);
  const numbers = reasons.flatMap((reason, index) => (reason === undefined ? [index + 1] : []));
  if (numbers.length === 0) return { why: `of its routes none is for programs; the first: ${reasons[0]}` };
  const table = tableOf(port);
  if ("unfit" in table) return { why: table.unfit };
  const { id, start, context, size } = table;
  const rules = families.flatMap((family) =>
    numbers.flatMap((rule) => {
      const shares = (port.routes[rule - 1]?.destinations ?? [])
        .filter(({ weight }) => weight > 0)
        .flatMap((destination) => ruleShares(destination, family, endpointSets));
      if (!isReachable(shares)) return [];
      const slots = identifierOf("rule slots", String(identifier), rule, family);
      const key = switchedRuleKey.encode({ service: identifier, rule, family: familyNumber[family] });
      return [{ key, slots, entries: slotEntries(slots, shares) }];
    }),
  );
  return {
    table,
    service: {
      key: switchedServiceKey.encode({ service: identifier }),
      value: switchedServiceValue.encode({ table: id, start, context, size: tableSize[size].value }),
    },
    rules: rules.map(({ key, slots, entries }) => ({
      key,
      value: switchedRuleValue.encode({ slots, slotCount: entries.length }),
    })),
    slots: rules.flatMap(({ entries }) => entries),
    numbers,
  };
}

const familyNumber: Record<Family, number> = { IPv4: 4, IPv6: 6 };

const whyRouteIsRelayed = ({ route, destinations }: PortRoute): string | undefined =>
  route === undefined ? "it says nothing" : whyRelayed({ route, destinations });

/** As the relay has it: endpoints of the family that is dialled, or of the other where there are none; for RANDOM all alike. */
function ruleShares(
  { endpointSet, weight, policy }: Destination,
  family: Family,
  endpointSets: EndpointSets,
): Share[] {
  const dialled = endpointSets(endpointSet).filter(({ address }) => address.length > 0);
  const same = dialled.filter(({ address }) => familyOf(address) === family);
  const isEven = policy?.loadBalancer?.simple === LoadBalancer_Simple.RANDOM;
  const weightOf = (endpoint: Endpoint): number => (isEven ? 1 : endpoint.weight);
  return spread(weight, same.length > 0 ? same : dialled, weightOf);
}
