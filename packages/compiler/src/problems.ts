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
      // What is not for this port may well be for another one.
      if (rule.isAsked || !asked.has(keyOf(rule))) warnOfRule(problems, rule);
    }
  }
  for (const port of ports) warnOfDestinations(problems, scene, port);
  return problems.list();
}

function warnOfRule(problems: ProblemSet, { origin, state, why }: ResolvedRule): void {
  const warn = (text: string): void => problems.warn(origin.object, matchField(origin), text);
  if (state === "not applied") warn(`the rule is not applied by kernel nodes: it ${why}`);
  if (state === "partly applies") warn(`the rule is only applied in part by kernel nodes: ${why}`);
}

function warnOfDestinations(problems: ProblemSet, scene: Scene, port: ResolvedPort): void {
  const once = { rule: port.chosen, destinations: port.destinations };
  const decided = port.routes.length > 0 ? port.routes : [once];
  for (const { rule, destinations } of decided) {
    if (rule === undefined || rule.destinations.length === 0) continue;
    destinations.forEach((destination, i) => {
      if (destination.weight === 0 || isReachable(scene, destination)) return;
      const { why, absent } = whyNoEndpoint(scene, destination);
      const text = `${why}: calls to this destination are refused`;
      problems.warn(rule.origin.object, routeField(rule.origin, i), text, absent);
    });
  }
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
