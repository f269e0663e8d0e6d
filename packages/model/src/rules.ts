import type { Gateway, SidecarScope } from "@keelson/protos/proxy";
import { objectKey, type Problem } from "./config-object.ts";
import type { RouteRuleObject } from "./kinds/index.ts";
import { Memo } from "./memo.ts";
import type { PolicySource, RouteSource } from "./model.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { routeRuleTable } from "./normalise/route-rule-table.ts";
import { type HostRoute, normaliseRouteRule } from "./normalise/route-rules.ts";
import type { ObjectSet } from "./objects.ts";

/** What is asked of those who call. */
export interface Ruled {
  readonly routes: Map<string, RouteSource>;
  readonly policies: Map<string, PolicySource>;
  readonly gateways: Map<string, Gateway>;
  readonly sidecarScopes: Map<string, SidecarScope>;
}

/** Makes route tables, policies, gateways and scopes; remembers what it made of objects that did not change. */
export class Rules {
  private readonly domain: string;
  private readonly routeRules = new Memo<Normalised<HostRoute>>();
  private readonly routeRuleTables = new Memo<RouteSource>();

  constructor(domain: string) {
    this.domain = domain;
  }

  build(objects: ObjectSet, problems: Problem[]): Ruled {
    const sources = this.buildRouteRules(objects.of("RouteRule", "config.istio.io"), problems);
    for (const memo of [this.routeRules, this.routeRuleTables]) memo.endRound();
    return {
      routes: new Map(sources.map((source) => [source.table.name, source])),
      policies: new Map(),
      gateways: new Map(),
      sidecarScopes: new Map(),
    };
  }

  /** One table for each host, in the order of hosts. */
  private buildRouteRules(rules: readonly RouteRuleObject[], problems: Problem[]): RouteSource[] {
    const byHost = new Map<string, HostRoute[]>();
    for (const object of rules) {
      const made = this.routeRules.get(objectKey(object), [object], () =>
        normaliseRouteRule(object, this.domain),
      );
      problems.push(...made.problems);
      byHost.set(made.value.hostname, [...(byHost.get(made.value.hostname) ?? []), made.value]);
    }
    return [...byHost]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([hostname, routes]) => {
        const ordered = routes.sort(byPrecedence);
        return this.routeRuleTables.get(hostname, ordered, () => routeRuleTable(hostname, ordered));
      });
  }
}

/** As Pilot 0.2: the higher precedence first, then by name. */
function byPrecedence({ object: a }: HostRoute, { object: b }: HostRoute): number {
  return b.body.spec.precedence - a.body.spec.precedence || (objectKey(a) < objectKey(b) ? -1 : 1);
}
