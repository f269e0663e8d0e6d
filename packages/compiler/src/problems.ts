import {
  type Absence,
  type ConfigObject,
  type FieldPath,
  type Model,
  meshGateway,
  type Problem,
  problemOf,
  type RouteSource,
} from "@keelson/model";
import { isReachable, whyNoEndpoint } from "./destination.ts";
import { matchField, routeField } from "./fields.ts";
import type { ResolvedRule } from "./read-route.ts";
import type { ResolvedPort } from "./resolve-routes.ts";
import type { Scene } from "./scene.ts";

/** What is to be said of the rules for one service: one warning a rule and field, whatever the number of ports. */
export function serviceProblems(scene: Scene, ports: readonly ResolvedPort[]): Problem[] {
  const problems = new ProblemSet();
  const asked = new Set(ports.flatMap(({ rules }) => rules.filter((rule) => rule.isAsked).map(keyOf)));
  for (const { rules } of ports) {
    for (const rule of rules) {
      const { origin, state, why, features, isAsked } = rule;
      // What is not for this port may well be for another one.
      const idle = state === "not applied" && (isAsked || !asked.has(keyOf(rule)));
      if (idle)
        problems.warn(
          origin.object,
          matchField(origin),
          `the rule is not applied by kernel nodes: it ${why}`,
        );
      if (state !== "partly applies") continue;
      for (const { path, what } of features) {
        problems.warn(
          origin.object,
          path,
          `${what}: has no effect on kernel nodes yet, it needs the relay tier`,
        );
      }
    }
  }
  for (const { chosen, destinations } of ports) {
    if (chosen === undefined || chosen.destinations.length === 0) continue;
    destinations.forEach((destination, i) => {
      if (destination.weight === 0 || isReachable(scene, destination)) return;
      const { why, absent } = whyNoEndpoint(scene, destination);
      const text = `${why}: connections to this destination are refused`;
      problems.warn(chosen.origin.object, routeField(chosen.origin, i), text, absent);
    });
  }
  return problems.list();
}

const keyOf = ({ rule, field }: ResolvedRule): string => `${rule} ${field}`;

/** Rules for hosts that are not there. */
export function unknownHosts(model: Model): Problem[] {
  if (model.routes.size === 0) return [];
  const aliases = new Set([...model.services.values()].flatMap((service) => service.aliases));
  const isKnown = (host: string): boolean =>
    host.startsWith("*")
      ? [...model.services.keys()].some((hostname) => hostname.endsWith(host.slice(1)))
      : model.services.has(host) || aliases.has(host);
  return [...model.routes.values()]
    .filter(({ table }) => table.gateways.includes(meshGateway) && !table.hosts.some(isKnown))
    .flatMap(({ table, ...origins }) => {
      // Proxies take rules for hosts that no service has, for plain HTTP at least.
      const effect = table.name.startsWith("RouteRule/") ? "no effect" : "no effect on kernel nodes";
      const text = `there is no service ${table.hosts.join(", ")}; the rule has ${effect}`;
      const absent: Absence = { what: "service", hostname: table.hosts[0] ?? "" };
      return objectsOf(origins).map((object) =>
        problemOf("warning", object, hostField(object), text, absent),
      );
    });
}

const objectsOf = ({ http, tcp, tls }: Omit<RouteSource, "table">): ConfigObject[] => [
  ...new Set([...http, ...tcp, ...tls].map(({ object }) => object)),
];

const hostField = ({ kind }: ConfigObject): FieldPath =>
  ({ RouteRule: ["spec", "destination"], HTTPRoute: ["spec", "parentRefs"] })[kind] ?? ["spec", "hosts"];

/** Problems that say the same of the same field count once. */
class ProblemSet {
  private readonly problems = new Map<string, Problem>();

  warn(object: ConfigObject, path: FieldPath, message: string, absent?: Absence): void {
    const problem = problemOf("warning", object, path, message, absent);
    this.problems.set(`${problem.object} ${problem.field} ${message}`, problem);
  }

  list(): Problem[] {
    return [...this.problems.values()];
  }
}
