import { type FieldPath, type Problem, problemOf } from "../config-object.ts";
import type { RouteRuleObject } from "../kinds/index.ts";
import type { IstioService, RouteRuleSpec } from "../kinds/route-rule.ts";
import type { Route, RouteConditions, RouteDestination, RouteFeature } from "../model.ts";
import type { Normalised } from "./normalised.ts";
import { serviceHostname } from "./services.ts";

/** A route and the service whose requests it is for. */
export interface HostRoute {
  readonly hostname: string;
  readonly route: Route;
}

/** @returns no value if the rule has errors: it then has no effect at all. */
export function normaliseRouteRule(object: RouteRuleObject, domain: string): Normalised<HostRoute | undefined> {
  const { spec } = object.body;
  const rule = new RouteRuleReader(object, domain);
  const hostname = rule.hostname(spec.destination, ["spec", "destination"]);
  const destinations = hostname === undefined ? undefined : rule.destinations(hostname);
  rule.checkActions();
  if (hostname === undefined || rule.problems.length > 0) return { value: undefined, problems: rule.problems };
  const { name, namespace } = object.metadata;
  const route: Route = {
    name: `${namespace}/${name}`,
    precedence: spec.precedence,
    conditions: conditionsOf(spec),
    ...(destinations === undefined ? {} : { destinations }),
    features: featuresOf(spec),
    object,
  };
  return { value: { hostname, route }, problems: [] };
}

/** Pilot 0.2's rules for a RouteRule (model/validation.go and model/conversion.go), collecting what is wrong. */
class RouteRuleReader {
  readonly problems: Problem[] = [];
  private readonly object: RouteRuleObject;
  private readonly domain: string;

  constructor(object: RouteRuleObject, domain: string) {
    this.object = object;
    this.domain = domain;
  }

  /** The full hostname that name, namespace and domain stand for; the rule's own namespace is the default. */
  hostname(service: IstioService, path: FieldPath): string | undefined {
    if (service.service !== undefined) {
      if (service.name !== undefined || service.namespace !== undefined || service.domain !== undefined) {
        this.error([...path, "service"], "stands beside name, namespace or domain; use one or the other");
      }
      return service.service;
    }
    if (service.name === undefined) {
      this.error(path, "needs a name (or a service)");
      return undefined;
    }
    const namespace = service.namespace ?? this.object.metadata.namespace;
    return service.domain === undefined
      ? serviceHostname(service.name, namespace, this.domain)
      : `${service.name}.${namespace}.${service.domain}`;
  }

  destinations(hostname: string): RouteDestination[] | undefined {
    const { route, destination } = this.object.body.spec;
    if (destination.labels !== undefined) {
      this.error(["spec", "destination", "labels"], "a rule is for a whole service; put labels below spec.route");
    }
    if (route.length === 0) return undefined;
    const sum = route.reduce((total, { weight }) => total + weight, 0);
    // A single route may leave its weight out.
    if (sum !== 100 && !(route.length === 1 && sum === 0)) {
      this.error(["spec", "route"], `weights add up to ${sum}, not to 100`);
    }
    return route.map(({ destination: other, labels, weight }, i) => ({
      hostname: (other && this.hostname(other, ["spec", "route", i, "destination"])) ?? hostname,
      labels: labels ?? other?.labels ?? {},
      weight: route.length === 1 ? 100 : weight,
    }));
  }

  checkActions(): void {
    const { redirect, rewrite, route, httpFault } = this.object.body.spec;
    if (redirect !== undefined && (route.length > 0 || rewrite !== undefined || httpFault !== undefined)) {
      this.error(["spec", "redirect"], "a redirect excludes route, rewrite and httpFault");
    }
  }

  private error(path: FieldPath, message: string): void {
    this.problems.push(problemOf("error", this.object, path, message));
  }
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
