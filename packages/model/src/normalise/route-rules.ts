import type { RouteRuleObject } from "../kinds/index.ts";
import type { IstioService, RouteRuleSpec } from "../kinds/route-rule.ts";
import type { Route, RouteConditions, RouteDestination, RouteFeature } from "../model.ts";
import { serviceHostname } from "./services.ts";

/** A route and the service whose requests it is for. */
export interface HostRoute {
  readonly hostname: string;
  readonly route: Route;
}

/** @param object passed checkRouteRule */
export function normaliseRouteRule(object: RouteRuleObject, domain: string): HostRoute {
  const { spec } = object.body;
  const { name, namespace } = object.metadata;
  const hostname = hostnameOf(spec.destination, namespace, domain);
  const route: Route = {
    name: `${namespace}/${name}`,
    precedence: spec.precedence,
    conditions: conditionsOf(spec),
    ...(spec.route.length === 0 ? {} : { destinations: destinationsOf(object, hostname, domain) }),
    features: featuresOf(spec),
    object,
  };
  return { hostname, route };
}

/** The full hostname that name, namespace and domain stand for; the rule's own namespace is the default. */
function hostnameOf(service: IstioService, ruleNamespace: string, domain: string): string {
  if (service.service !== undefined) return service.service;
  const { name = "", namespace = ruleNamespace } = service;
  return service.domain === undefined
    ? serviceHostname(name, namespace, domain)
    : `${name}.${namespace}.${service.domain}`;
}

function destinationsOf(object: RouteRuleObject, hostname: string, domain: string): RouteDestination[] {
  const { route } = object.body.spec;
  return route.map(({ destination, labels, weight }) => ({
    hostname:
      destination === undefined ? hostname : hostnameOf(destination, object.metadata.namespace, domain),
    labels: labels ?? destination?.labels ?? {},
    // A single route may leave its weight out.
    weight: route.length === 1 ? 100 : weight,
  }));
}

function conditionsOf({ match }: RouteRuleSpec): RouteConditions {
  const headers = Object.keys(match?.request?.headers ?? {});
  // "uri", "method", "scheme" and "authority" are no headers, but Istio 0.2 put them among these.
  const pseudo = new Set(["uri", "method", "scheme", "authority"]);
  const subnets = [match?.tcp, match?.udp].flatMap((l4) => [
    ...(l4?.sourceSubnet ?? []).map((subnet) => `from ${subnet}`),
    ...(l4?.destinationSubnet ?? []).map((subnet) => `to ${subnet}`),
  ]);
  return {
    request: headers.sort().map((name) => (pseudo.has(name) ? name : `header ${name}`)),
    ...(match?.source === undefined ? {} : { source: describeService(match.source) }),
    ...(subnets.length === 0 ? {} : { addresses: subnets.join(", ") }),
  };
}

function describeService({ name, namespace, service, labels }: IstioService): string {
  const who = service ?? [name, namespace].filter((part) => part !== undefined).join(".");
  const chosen = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [who, ...chosen].filter((part) => part !== "").join(" ");
}

function featuresOf(spec: RouteRuleSpec): RouteFeature[] {
  const features: [keyof RouteRuleSpec, string][] = [
    ["redirect", "redirects requests"],
    ["rewrite", "rewrites requests"],
    ["websocketUpgrade", "upgrades connections to WebSocket"],
    ["httpReqTimeout", "sets a timeout"],
    ["httpReqRetries", "retries requests"],
    ["httpFault", "injects faults"],
    ["l4Fault", "injects faults"],
  ];
  return features
    .filter(([field]) => spec[field] !== undefined && spec[field] !== false)
    .map(([field, what]) => ({ field: `spec.${field}`, what }));
}
