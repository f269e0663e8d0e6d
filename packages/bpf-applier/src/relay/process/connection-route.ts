import { BlockList } from "node:net";
import type { ConnectionMatch } from "@keelson/protos/match";
import type { Destination, PortConnectionRoute, ServicePort } from "@keelson/protos/policy";
import { includesLabels } from "../policy/labels.ts";
import { destinationRef } from "../policy/route-destinations.ts";
import type { Caller, DestinationRef } from "../policy/types.ts";
import { weightedChoice } from "../policy/weighted-choice.ts";

/** What a route of connections looks at. */
export interface ConnectionFacts {
  readonly caller: Caller;
  /** Of a TLS handshake, lower case. */
  readonly serverName: string | undefined;
}

/**
 * Where a connection goes: by the first route that holds, else where the port's connections go.
 * @returns undefined: nowhere
 */
export function chooseForConnection(
  port: ServicePort,
  facts: ConnectionFacts,
  random: () => number,
): DestinationRef | undefined {
  const found = port.connectionRoutes.find(({ route }) => holds(route?.matches ?? [], facts));
  const destinations = found?.destinations ?? port.destinations;
  if (destinations.length === 0) return undefined;
  const choices = destinations.map((destination, index) => ({
    weight: destination.weight,
    destination,
    index,
  }));
  const { destination, index } = weightedChoice(choices)(random);
  return refOf(destination, found, index);
}

const refOf = (
  destination: Destination,
  found: PortConnectionRoute | undefined,
  index: number,
): DestinationRef => destinationRef(destination, found?.route?.destinations[index]);

function holds(matches: readonly ConnectionMatch[], facts: ConnectionFacts): boolean {
  return matches.length === 0 || matches.some((match) => matchHolds(match, facts));
}

/** Of who calls, no more is known than its Workload says. */
function matchHolds(
  { sniHosts, source, sourceSubnets }: ConnectionMatch,
  { caller, serverName }: ConnectionFacts,
): boolean {
  if (sniHosts.length > 0 && !sniHosts.some((host) => nameMatches(host, serverName))) return false;
  if (sourceSubnets.length > 0 && !sourceSubnets.some((block) => inBlock(caller.address, block)))
    return false;
  if (source === undefined) return true;
  const { workload } = caller;
  return (
    workload !== undefined &&
    source.hostname === "" &&
    (source.namespace === "" || source.namespace === workload.namespace) &&
    includesLabels(workload.labels, source.labels)
  );
}

/** @param pattern a name, or "*.example.com" for all below it */
function nameMatches(pattern: string, name: string | undefined): boolean {
  if (name === undefined) return false;
  const wanted = pattern.toLowerCase();
  if (wanted === "*") return true;
  return wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) : name === wanted;
}

function inBlock(address: string, block: string): boolean {
  const [network = "", length] = block.split("/");
  const family = network.includes(":") ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, Number(length ?? (family === "ipv6" ? 128 : 32)), family);
  return list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
