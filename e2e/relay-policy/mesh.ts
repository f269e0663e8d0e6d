import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { endpointSetName, type PolicyIr } from "@keelson/protos";
import {
  ApplicationProtocol,
  type EndpointSet,
  PortRouteSchema,
  Protocol,
  type Service,
  type ServicePort,
  ServicePortSchema,
} from "@keelson/protos/policy";
import { type HttpRoute, HttpRouteSchema } from "@keelson/protos/route";
import { LoadBalancer_Simple, type TrafficPolicy, TrafficPolicySchema } from "@keelson/protos/traffic-policy";
import { aHostPolicy, anEndpointSet, anIr, aRouteTable, aService } from "@keelson/xds/envoy/testing";
import { type Case, subsets } from "./cases.ts";

/** What callers dial. */
export const dialled = 80;

export const nameOf = (number: number): string => `c${number}`;
/** Where callers dial a case. */
export const addressOf = (number: number): string => `10.96.${number >> 8}.${number & 0xff}`;
export const hostOf = (number: number): string => `${nameOf(number)}.default.svc.cluster.local`;

type Subset = (typeof subsets)[number];
type Policy = NonNullable<MessageInitShape<typeof TrafficPolicySchema>>;

const hashedBy = (
  consistentHash: NonNullable<NonNullable<Policy["loadBalancer"]>["consistentHash"]>,
): Policy => ({
  loadBalancer: { consistentHash },
});

const policies: Readonly<Record<Subset, Policy>> = {
  v1: {},
  v2: {},
  none: {},
  mirror: {},
  "by-header": hashedBy({ key: { case: "httpHeaderName", value: "x" } }),
  "by-cookie": hashedBy({ key: { case: "httpCookie", value: { name: "user", path: "/", ttlMs: 60_000n } } }),
  "by-query": hashedBy({ key: { case: "httpQueryParameterName", value: "p" } }),
  "by-source": hashedBy({ key: { case: "useSourceIp", value: true }, minimumRingSize: 10n }),
  "by-maglev": hashedBy({ key: { case: "httpHeaderName", value: "y" }, maglevTableSize: 251n }),
  "by-turns": { loadBalancer: { simple: LoadBalancer_Simple.ROUND_ROBIN } },
  "at-random": { loadBalancer: { simple: LoadBalancer_Simple.RANDOM } },
  "by-least": {},
};

/** By number; the others have four. */
const fewEndpoints: Partial<Record<Subset, number>> = { v1: 1, v2: 1, none: 0, mirror: 1 };
/** Endpoints of these have other weights than 1. */
const weighted: ReadonlySet<Subset> = new Set(["by-query", "by-maglev", "by-turns"]);

/** Addresses of each subset's endpoints, all of them the one backend. */
const endpointsOf = (subset: Subset, port: number) => {
  const place = subsets.indexOf(subset) + 1;
  const count = fewEndpoints[subset] ?? 4;
  return Array.from({ length: count }, (_, index) => ({
    address: `127.0.${place}.${index + 1}`,
    port,
    weight: weighted.has(subset) ? index + 1 : 1,
    labels: [`version=${subset}`],
  }));
};

/** Only mirrors go there. */
export const mirrorAddress = `127.0.${subsets.indexOf("mirror") + 1}.1`;

const labelsOf = (subset: string) => ({ version: subset });
const setName = (hostname: string, subset: string): string =>
  endpointSetName({ hostname, port: dialled, labels: labelsOf(subset) });

const routesOf = ({ routes }: Case, hostname: string): HttpRoute[] =>
  routes.map(({ destinations = [], mirrors = [], ...route }, index) =>
    create(HttpRouteSchema, {
      ...route,
      name: `r${index}`,
      destinations: destinations.map((destination) => ({ ...destination, hostname })),
      mirrors: mirrors.map(({ percent = 0 }) => ({ percent, destination: { hostname, subset: "mirror" } })),
    }),
  );

const httpPort = { port: dialled, name: "http", applicationProtocol: ApplicationProtocol.HTTP } as const;

/** The cases as services of a mesh. @param port of the backend */
export function meshOf(cases: readonly Case[], port: number): PolicyIr {
  return anIr({
    services: cases.map((_, number) =>
      aService(nameOf(number), {
        addresses: [addressOf(number)],
        ports: [httpPort],
      }),
    ),
    endpointSets: cases.flatMap((_, number) => setsOf(number, port)),
    routeTables: cases.map((one, number) =>
      aRouteTable(`VirtualService/default/${nameOf(number)}`, {
        hosts: [hostOf(number)],
        http: routesOf(one, hostOf(number)),
      }),
    ),
    hostPolicies: cases.map((_, number) =>
      aHostPolicy(`DestinationRule/default/${nameOf(number)}`, {
        hostname: hostOf(number),
        subsets: subsets.map((name) => ({ name, labels: labelsOf(name), policy: policies[name] })),
      }),
    ),
  });
}

export const setsOf = (number: number, port: number): EndpointSet[] =>
  subsets.map((subset) => anEndpointSet(setName(hostOf(number), subset), endpointsOf(subset, port)));

const policyOf = (subset: string): TrafficPolicy => create(TrafficPolicySchema, policies[subset as Subset]);

/** The same case as a node is told of it. */
export function relayServiceOf(
  one: Case,
  number: number,
): { readonly hostname: string; readonly port: ServicePort; readonly switchedRules: readonly number[] } {
  const hostname = hostOf(number);
  const routes = routesOf(one, hostname).map((route) =>
    create(PortRouteSchema, {
      route,
      destinations: route.destinations.map(({ subset, weight }) => ({
        weight,
        endpointSet: setName(hostname, subset),
        policy: policyOf(subset),
      })),
      mirrors: route.mirrors.map(() => ({ endpointSet: setName(hostname, "mirror") })),
    }),
  );
  const port: ServicePort = create(ServicePortSchema, { ...httpPort, protocol: Protocol.TCP, routes });
  return { hostname, switchedRules: [], port };
}

/** The same, whole. */
export const nodeServiceOf = (one: Case, number: number): Service =>
  aService(nameOf(number), {
    addresses: [addressOf(number)],
    ports: [relayServiceOf(one, number).port],
  });
