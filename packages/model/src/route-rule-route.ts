import type { Diagnostic } from "./diagnostic.ts";
import { describeOrigin, type Origin } from "./diagnostic.ts";
import type { IstioService, RouteRule } from "./istio/route-rule.ts";
import type { Route, Subset } from "./mesh.ts";
import { clusterDomain } from "./names.ts";

/** Fields of a RouteRule that ask for more than a choice of endpoint. */
const actionFields = [
  "redirect",
  "rewrite",
  "websocketUpgrade",
  "httpReqTimeout",
  "httpReqRetries",
  "httpFault",
  "l4Fault",
  "mirror",
  "corsPolicy",
  "appendHeaders",
] as const;

export interface RouteForHost {
  readonly hostname: string;
  readonly route?: Route;
  readonly diagnostics: readonly Diagnostic[];
}

/** The full hostname that an IstioService means, seen from the namespace of the rule. */
export function hostnameOf({ name, namespace, domain, service }: IstioService, ruleNamespace: string): string {
  if (service !== undefined) return service;
  // In 0.2 a domain stands for everything behind the namespace.
  return [name, namespace ?? ruleNamespace, domain ?? `svc.${clusterDomain}`].join(".");
}

function conditionsOf(match: RouteRule["spec"]["match"]): string[] {
  if (match === undefined) return [];
  const headers = Object.entries(match.request?.headers ?? {}).map(([name, value]) => {
    const [[how, what] = ["", ""]] = Object.entries(value).filter(([, text]) => text !== undefined);
    return `header ${name} ${how} ${JSON.stringify(what)}`;
  });
  const source = match.source === undefined ? [] : [`source ${match.source.name ?? match.source.service ?? ""}`];
  const layer4 = [match.tcp && "tcp", match.udp && "udp"].filter((name) => name !== undefined);
  return [...source, ...layer4, ...headers];
}

function subsetsOf(rule: RouteRule): Subset[] {
  const { route } = rule.spec;
  if (route.length === 0) return [{ labels: {}, weight: 100 }];
  const own = rule.spec.destination.labels ?? {};
  return route.map(({ labels, weight }) => ({
    labels: { ...own, ...labels },
    // A single destination may leave its weight out, and gets everything.
    weight: route.length === 1 ? 100 : (weight ?? 0),
  }));
}

/** From the schema's RouteRule to the model's Route. What cannot be kept makes the rule fall out, with a warning. */
export function routeOf(rule: RouteRule, origin: Origin): RouteForHost {
  const { spec } = rule;
  const hostname = hostnameOf(spec.destination, origin.namespace);
  const elsewhere = spec.route
    .map(({ destination }) => destination && hostnameOf(destination, origin.namespace))
    .find((host) => host !== undefined && host !== hostname);
  if (elsewhere !== undefined) {
    const message = `routes to another service (${elsewhere}), which is not supported yet; the whole rule is left out`;
    const diagnostic = {
      severity: "warning",
      code: "unsupported-field",
      message: `spec.route.destination: ${message}`,
      position: origin,
      object: describeOrigin(origin),
    } as const;
    return { hostname, diagnostics: [diagnostic] };
  }
  const route: Route = {
    origin,
    precedence: spec.precedence,
    conditions: conditionsOf(spec.match),
    actions: actionFields.filter((field) => spec[field] !== undefined),
    subsets: subsetsOf(rule),
  };
  return { hostname, route, diagnostics: [] };
}

/** Istio 0.2: higher precedence first; among equals, by name. */
export const byPrecedence = (a: Route, b: Route): number => {
  const nameOf = ({ origin }: Route): string => `${origin.namespace}/${origin.name}`;
  return b.precedence - a.precedence || (nameOf(a) < nameOf(b) ? -1 : 1);
};
