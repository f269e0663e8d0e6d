import type { ConnectionMatch } from "@keelson/protos/match";
import { ApplicationProtocol } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { wildcardsOf } from "../addresses.ts";
import { normaliseCidr } from "../cidr.ts";
import type { CallerTraits, Context } from "../context.ts";
import { includesLabels, overlap } from "../hosts.ts";
import { meshGateway } from "../index/route-tables.ts";
import { shortNames } from "../route/domains.ts";
import type { ScopedService } from "../scope/scoped-service.ts";
import { type ChainPlan, matchAll } from "./chain-plan.ts";
import { defaultTcpTarget, ruledTcpTarget } from "./tcp-target.ts";

export const isTls = (protocol: ApplicationProtocol): boolean =>
  protocol === ApplicationProtocol.TLS || protocol === ApplicationProtocol.HTTPS;

/** Whether the parts of a match that are known beforehand hold: who calls, on which port, through which gateway. */
export function mayMatch(
  match: Pick<ConnectionMatch, "port" | "source" | "gateways">,
  port: number,
  gateways: readonly string[],
  { proxy }: { readonly proxy: CallerTraits },
): boolean {
  const { source } = match;
  if (match.port !== 0 && match.port !== port) return false;
  if (match.gateways.length > 0 && !match.gateways.some((name) => gateways.includes(name))) return false;
  if (source === undefined) return true;
  if (source.namespace !== "" && source.namespace !== proxy.namespace) return false;
  if (source.hostname !== "" && !proxy.hostnames.includes(source.hostname)) return false;
  return includesLabels(proxy.labels, source.labels);
}

const blocksOf = (subnets: readonly string[]): string[] =>
  subnets.flatMap((subnet) => normaliseCidr(subnet) ?? []);

const tablesFor = (hostname: string, tables: readonly RouteTable[]): RouteTable[] =>
  tables.filter(({ hosts }) => hosts.some((host) => overlap(host, hostname)));

/** What the chains of one service's port are made from. */
export interface ConnectionInputs {
  readonly scoped: ScopedService;
  /** What the listener listens on, and callers dial. */
  readonly port: number;
  /** First address of the listener. */
  readonly bind: string;
  readonly bindToPort: boolean;
  /** Destinations that the listener is only for; empty: all. */
  readonly prefixes: readonly string[];
  readonly tables: readonly RouteTable[];
  readonly context: Context;
}

/** The service's port that stands behind a listener's: the same number, or the only port there is. */
function servicePort({ scoped, port }: ConnectionInputs): number {
  const [only, ...others] = scoped.ports;
  return only !== undefined && others.length === 0 ? only.port : port;
}

/** Chains that tell TLS connections by their server name. */
function tlsChains(inputs: ConnectionInputs): ChainPlan[] {
  const { scoped, port, context } = inputs;
  const ruled = tablesFor(scoped.service.hostname, inputs.tables).flatMap(({ name, tls }) =>
    tls.flatMap(({ destinations, matches }) =>
      matches
        .filter((match) => destinations.length > 0 && mayMatch(match, port, [meshGateway], context))
        .map(({ sniHosts, destinationSubnets }) => ({
          match: {
            ...matchAll,
            serverNames: serverNames(sniHosts),
            prefixes: port === 0 ? [] : blocksOf(destinationSubnets),
          },
          target: ruledTcpTarget(name, destinations, port, context),
        })),
    ),
  );
  if (ruled.length > 0) return ruled;
  return [
    {
      match: { ...matchAll, serverNames: sharedNames(inputs), prefixes: blocksOf(inputs.prefixes) },
      target: defaultTcpTarget(scoped.service, servicePort(inputs), context),
    },
  ];
}

/**
 * A service without an address of its own shares its listener with others: only the server name tells it from them. A
 * listener with a socket of its own is shared by all services of the port.
 */
function sharedNames({ scoped, bind, bindToPort, prefixes, context }: ConnectionInputs): string[] {
  const { hostname, addresses, aliases } = scoped.service;
  const { families, domain } = context.proxy;
  if (prefixes.length > 0) return [];
  if (bindToPort)
    return serverNames([hostname, ...aliases].flatMap((name) => [name, ...shortNames(name, domain)]));
  return addresses.length === 0 && wildcardsOf(families)[0] === bind
    ? serverNames([hostname, ...aliases])
    : [];
}

/** "*" stands for every name, which Envoy says by naming none. */
const serverNames = (names: readonly string[]): string[] =>
  names.includes("*") ? [] : [...new Set(names.map((name) => name.toLowerCase()))].sort();

/** Chains for bytes of any kind: what the rules say for some destinations, then what takes the rest. */
function tcpChains(inputs: ConnectionInputs): ChainPlan[] {
  const { scoped, port, context } = inputs;
  const chains: ChainPlan[] = [];
  const own = { ...matchAll, prefixes: blocksOf(inputs.prefixes) };
  for (const { name, tcp } of tablesFor(scoped.service.hostname, inputs.tables)) {
    for (const { matches, destinations } of tcp) {
      if (destinations.length === 0) continue;
      const held = matches.filter((match) => mayMatch(match, port, [meshGateway], context));
      const target = () => ruledTcpTarget(name, destinations, port, context);
      const unconditional = held.some(({ destinationSubnets }) => destinationSubnets.length === 0);
      if (matches.length === 0 || unconditional || (port === 0 && held.length > 0)) {
        return [...chains, { match: own, target: target() }];
      }
      const prefixes = [
        ...new Set(held.flatMap(({ destinationSubnets }) => blocksOf(destinationSubnets))),
      ].sort();
      if (prefixes.length > 0) chains.push({ match: { ...matchAll, prefixes }, target: target() });
    }
  }
  const rest = defaultTcpTarget(scoped.service, servicePort(inputs), context);
  return [...chains, { match: own, target: rest }];
}

/** The chains for a port of a service that is not known to speak HTTP. */
export const connectionChains = (inputs: ConnectionInputs, protocol: ApplicationProtocol): ChainPlan[] =>
  isTls(protocol) ? tlsChains(inputs) : tcpChains(inputs);
