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
import { identifierOf } from "../identifier.ts";
import { destinationRef } from "../relay/policy/route-destinations.ts";
import { programsRouteName, routeIdentifier } from "../route-name.ts";
import {
  destinationEntries,
  type EndpointSets,
  type Entry,
  isReachable,
  type Share,
  slotEntries,
  spread,
} from "../slots.ts";
import {
  type BalancedDestination,
  balancedDestination,
  type FamilyDestination,
  isDrawn,
} from "./balanced-destinations.ts";
import { beingMade, type MatchTable, type TableState } from "./match-table.ts";

/** What the maps hold of a port whose requests programs take off the way to the relay. */
export interface SwitchedPort {
  /** Undefined: its match table is being made, and until then the relay carries all requests. */
  readonly matching: { readonly table: MatchTable; readonly service: Entry } | undefined;
  readonly rules: readonly Entry[];
  /** Those among which more than a draw decides. */
  readonly destinations: readonly Entry[];
  readonly slots: readonly Entry[];
  /** By `route` in keys: as counters name it. */
  readonly routeNames: ReadonlyMap<bigint, string>;
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
  tableOf: (port: ServicePort) => TableState,
): SwitchedPort | UnswitchedPort {
  const unread = whyUnread(port.applicationProtocol);
  if (unread !== undefined) return { why: unread };
  const reasons = port.routes.map(whyRouteIsRelayed);
  const numbers = reasons.flatMap((reason, index) => (reason === undefined ? [index + 1] : []));
  if (numbers.length === 0) return { why: `of its routes none is for programs; the first: ${reasons[0]}` };
  const table = tableOf(port);
  if (table !== beingMade && "unfit" in table) return { why: table.unfit };
  const nameOf = (number: number): string => {
    const route = port.routes[number - 1]?.route;
    return route === undefined ? "" : programsRouteName(route);
  };
  const rules = families.flatMap((family) =>
    numbers.flatMap((number) => {
      const slots = identifierOf("rule slots", String(identifier), number, family);
      const filled = filledRule(
        slots,
        familyDestinations(port.routes[number - 1], family, endpointSets),
        (one) => balancedDestination(identifier, family, one),
      );
      if (filled === undefined) return [];
      const key = switchedRuleKey.encode({ service: identifier, rule: number, family: familyNumber[family] });
      const value = {
        slots,
        route: routeIdentifier(nameOf(number)),
        slotCount: filled.draw.length,
        balances: filled.destinations.length > 0 ? 1 : 0,
      };
      return [{ key, value: switchedRuleValue.encode(value), ...filled }];
    }),
  );
  const destinations = new Map(rules.flatMap((rule) => rule.destinations.map((one) => [one.id, one])));
  return {
    matching: table === beingMade ? undefined : { table, service: serviceEntry(identifier, table) },
    rules: rules.map(({ key, value }) => ({ key, value })),
    destinations: Array.from(destinations.values(), ({ entry }) => entry),
    slots: [
      ...rules.map(({ draw }) => draw),
      ...Array.from(destinations.values(), ({ slots }) => slots),
    ].flat(),
    routeNames: new Map(numbers.map(nameOf).map((name) => [routeIdentifier(name), name])),
    numbers,
  };
}

const serviceEntry = (service: bigint, { id, start, context, size }: MatchTable): Entry => ({
  key: switchedServiceKey.encode({ service }),
  value: switchedServiceValue.encode({ table: id, start, context, size: tableSize[size].value }),
});

const familyNumber: Record<Family, number> = { IPv4: 4, IPv6: 6 };

const whyRouteIsRelayed = ({ route, destinations }: PortRoute): string | undefined =>
  route === undefined ? "it says nothing" : whyRelayed({ route, destinations });

/** As the relay has it: endpoints of the family that is dialled, or of the other where there are none. */
function familyDestinations(
  { route, destinations }: Pick<PortRoute, "route" | "destinations"> = { destinations: [] },
  family: Family,
  endpointSets: EndpointSets,
): FamilyDestination[] {
  return destinations
    .map((destination, index) => {
      const dialled = endpointSets(destination.endpointSet).filter(({ address }) => address.length > 0);
      const same = dialled.filter(({ address }) => familyOf(address) === family);
      const { key } = destinationRef(destination, route?.destinations[index]);
      return { key, destination, endpoints: same.length > 0 ? same : dialled };
    })
    .filter(({ destination }) => destination.weight > 0);
}

/** What is drawn for requests of a rule, and who then chooses, where it is not an endpoint. */
interface FilledRule {
  readonly draw: readonly Entry[];
  readonly destinations: readonly BalancedDestination[];
}

/** @returns undefined: there is no endpoint */
function filledRule(
  slots: bigint,
  among: readonly FamilyDestination[],
  balanced: (one: FamilyDestination) => BalancedDestination,
): FilledRule | undefined {
  if (among.every(isDrawn)) {
    const shares = among.flatMap(({ destination, endpoints }) => drawnShares(destination, endpoints));
    return isReachable(shares) ? { draw: slotEntries(slots, shares), destinations: [] } : undefined;
  }
  const found = among.map((one) => ({
    weight: one.destination.weight,
    balanced: one.endpoints.length === 0 ? undefined : balanced(one),
  }));
  const shares = found.map(({ weight, balanced: to }) => ({ weight, destination: to?.id ?? 0n }));
  return {
    draw: destinationEntries(slots, shares),
    destinations: found.flatMap(({ balanced: to }) => to ?? []),
  };
}

/** Of one endpoint, or of those that are all alike. */
const drawnShares = ({ weight }: Destination, endpoints: readonly Endpoint[]): Share[] =>
  spread(weight, endpoints, () => 1);
