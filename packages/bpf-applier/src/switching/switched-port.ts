import {
  keyKind,
  switchedKeyValue,
  switchedRuleKey,
  switchedRuleValue,
  switchedServiceKey,
  switchedServiceValue,
  tableSize,
} from "@keelson/bpf";
import { keyBounds, routeKey } from "@keelson/compiler/kernel-keys";
import { whyRelayed, whyUnread } from "@keelson/compiler/kernel-routes";
import { type Family, familyOf } from "@keelson/model";
import type { Destination, Endpoint, PortRoute, ServicePort } from "@keelson/protos/policy";
import { identifierOf } from "../identifier.ts";
import { destinationRef } from "../relay/policy/route-destinations.ts";
import { programsRouteName, routeIdentifier, routeNamesOf } from "../route-name.ts";
import {
  destinationEntries,
  type EndpointSets,
  type Entry,
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
import type { Ring } from "./ring.ts";
import type { RingSource } from "./ring-room.ts";

/** What the maps hold of a port whose requests programs take off the way to the relay. */
export interface SwitchedPort {
  /** Undefined: its match table is being made, and until then the relay carries all requests. */
  readonly matching: { readonly table: MatchTable; readonly service: Entry } | undefined;
  readonly rules: readonly Entry[];
  /** Those among which more than a draw decides. */
  readonly destinations: readonly Entry[];
  readonly keys: readonly Entry[];
  readonly rings: readonly Ring[];
  readonly slots: readonly Entry[];
  /** By `route` in keys: as counters name it. */
  readonly routeNames: ReadonlyMap<bigint, string>;
  /** Numbers of the routes that programs carry, from 1 on; those that lack endpoints for now are among them. */
  readonly numbers: readonly number[];
  /** Those among them whose rings take more room than there is: the relay has their requests. */
  readonly withoutRoom: readonly number[];
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

/** What there is room for on the node. */
export interface SwitchingRoom {
  /** Asked only for a port that has a route for programs. */
  readonly tableOf: (port: ServicePort) => TableState;
  readonly ringOf: RingSource;
}

export function switchedPort(
  facts: PortFacts,
  { tableOf, ringOf }: SwitchingRoom,
): SwitchedPort | UnswitchedPort {
  const { identifier, port, families } = facts;
  const unread = whyUnread(port.applicationProtocol);
  if (unread !== undefined) return { why: unread };
  const reasons = port.routes.map(whyRouteIsRelayed);
  const numbers = reasons.flatMap((reason, index) => (reason === undefined ? [index + 1] : []));
  if (numbers.length === 0) return { why: `of its routes none is for programs; the first: ${reasons[0]}` };
  const table = tableOf(port);
  if (table !== beingMade && "unfit" in table) return { why: table.unfit };
  const tried = families.flatMap((family) => familyRules(facts, family, numbers, ringOf));
  const rules = tried.filter((rule) => typeof rule !== "number");
  const destinations = new Map(rules.flatMap((rule) => rule.destinations.map((one) => [one.id, one])));
  return {
    matching: table === beingMade ? undefined : { table, service: serviceEntry(identifier, table) },
    rules: rules.map(({ key, value }) => ({ key, value })),
    destinations: Array.from(destinations.values(), ({ entry }) => entry),
    keys: rules.flatMap(({ found }) => found),
    rings: Array.from(destinations.values()).flatMap(({ ring }) => ring ?? []),
    slots: [
      ...rules.map(({ draw }) => draw),
      ...Array.from(destinations.values(), ({ slots }) => slots),
    ].flat(),
    routeNames: routeNamesOf(numbers.flatMap((number) => port.routes[number - 1] ?? [])),
    numbers,
    withoutRoom: [...new Set(tried.filter((rule) => typeof rule === "number"))],
  };
}

const serviceEntry = (service: bigint, { id, start, context, size }: MatchTable): Entry => ({
  key: switchedServiceKey.encode({ service }),
  value: switchedServiceValue.encode({ table: id, start, context, size: tableSize[size].value }),
});

const nameOfRoute = (one: PortRoute | undefined): string =>
  one?.route === undefined ? "" : programsRouteName(one.route);

interface SwitchedRule extends FilledRule, Entry {
  /** Of what consistent hashing looks at; none, or one. */
  readonly found: readonly Entry[];
}

/** Rules for callers that dial addresses of a family; of one without room its number. One that lacks endpoints is left out. */
function familyRules(
  { identifier, port, endpointSets }: PortFacts,
  family: Family,
  numbers: readonly number[],
  ringOf: RingSource,
): (SwitchedRule | number)[] {
  // A ring takes up to some tens of milliseconds, and many rules may lead to one destination.
  const known = new Map<string, BalancedDestination | undefined>();
  const balanced = (one: FamilyDestination): BalancedDestination | undefined => {
    if (!known.has(one.key)) known.set(one.key, balancedDestination(identifier, family, one, ringOf));
    return known.get(one.key);
  };
  return numbers.flatMap((number): (SwitchedRule | number)[] => {
    const slots = identifierOf("rule slots", String(identifier), number, family);
    const route = port.routes[number - 1];
    const among = familyDestinations(route, family, endpointSets);
    // The relay refuses the share. If it drew again for those requests alone, the other destinations would get more than theirs.
    if (among.length === 0 || among.some(({ endpoints }) => endpoints.length === 0)) return [];
    const filled = filledRule(slots, among, balanced);
    if (filled === undefined) return [number];
    const key = switchedRuleKey.encode({ service: identifier, rule: number, family: familyNumber[family] });
    const balances = filled.destinations.length > 0 ? 1 : 0;
    const value = {
      slots,
      route: routeIdentifier(nameOfRoute(route)),
      slotCount: filled.draw.length,
      balances,
    };
    const found = filled.destinations.some(({ ring }) => ring !== undefined) ? keyEntry(key, route) : [];
    return [{ key, value: switchedRuleValue.encode(value), found, ...filled }];
  });
}

/** What is looked at in requests of a rule, by the rule's own key in the maps. */
export function keyEntry(key: Uint8Array, route: Pick<PortRoute, "destinations"> | undefined): Entry[] {
  const found = routeKey(route?.destinations ?? []);
  if (found === undefined) return [];
  const { kind, times, isMade } = found;
  const text = Buffer.from(found.name);
  const name = new Uint8Array(keyBounds.name);
  name.set(text);
  const value = { kind: keyKind[kind].value, length: text.length, times, isMade: isMade ? 1 : 0, name };
  return [{ key, value: switchedKeyValue.encode(value) }];
}

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

/** @param among each has endpoints. @returns undefined: there is no room for one of them */
function filledRule(
  slots: bigint,
  among: readonly FamilyDestination[],
  balanced: (one: FamilyDestination) => BalancedDestination | undefined,
): FilledRule | undefined {
  if (among.every(isDrawn)) {
    const shares = among.flatMap(({ destination, endpoints }) => drawnShares(destination, endpoints));
    return { draw: slotEntries(slots, shares), destinations: [] };
  }
  const destinations = among.flatMap((one) => balanced(one) ?? []);
  if (destinations.length < among.length) return undefined;
  const shares = destinations.map(({ id }, at) => ({ weight: among[at]?.destination.weight ?? 0, id }));
  return { draw: destinationEntries(slots, shares), destinations };
}

/** Of one endpoint, or of those that are all alike. */
const drawnShares = ({ weight }: Destination, endpoints: readonly Endpoint[]): Share[] =>
  spread(weight, endpoints, () => 1);
