import type { Gateway, SidecarScope } from "@keelson/protos/proxy";
import { objectKey, type Problem } from "./config-object.ts";
import type { RouteRuleObject } from "./kinds/index.ts";
import { Memo } from "./memo.ts";
import type { PolicySource, RouteSource } from "./model.ts";
import { mergeDestinationRules, mergeKey, normaliseDestinationRule } from "./normalise/destination-rules.ts";
import { normaliseIstioGateway } from "./normalise/istio-gateways.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { routeRuleTable } from "./normalise/route-rule-table.ts";
import { type HostRoute, normaliseRouteRule } from "./normalise/route-rules.ts";
import { normaliseSidecar } from "./normalise/sidecars.ts";
import { normaliseVirtualService } from "./normalise/virtual-services.ts";
import type { ObjectSet } from "./objects.ts";
import { byAge, byPrecedence, bySelectorAndAge } from "./order.ts";

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
  private readonly virtualServices = new Memo<Normalised<RouteSource>>();
  private readonly routeRules = new Memo<HostRoute>();
  private readonly routeRuleTables = new Memo<RouteSource>();
  private readonly destinationRules = new Memo<PolicySource>();
  private readonly mergedRules = new Memo<Normalised<PolicySource>>();

  private readonly gateways = new Memo<Gateway>();
  private readonly sidecars = new Memo<SidecarScope>();

  constructor(domain: string) {
    this.domain = domain;
  }

  build(objects: ObjectSet, problems: Problem[]): Ruled {
    const routes = [
      ...this.buildVirtualServices(objects, problems),
      ...this.buildRouteRules(objects.of("RouteRule", "config.istio.io")),
    ];
    const policies = this.buildDestinationRules(objects, problems);
    const gateways = this.buildGateways(objects);
    const sidecarScopes = this.buildSidecars(objects);
    for (const memo of [this.virtualServices, this.mergedRules, this.gateways, this.sidecars])
      memo.endRound();
    for (const memo of [this.routeRules, this.routeRuleTables, this.destinationRules]) memo.endRound();
    return {
      routes: new Map(routes.map((source) => [source.table.name, source])),
      policies: new Map(policies.map((source) => [source.policy.name, source])),
      gateways,
      sidecarScopes,
    };
  }

  private buildGateways(objects: ObjectSet): Map<string, Gateway> {
    const made = objects
      .of("Gateway", "networking.istio.io")
      .map((object) => this.gateways.get(objectKey(object), [object], () => normaliseIstioGateway(object)));
    return new Map(
      made.map((gateway) => [gateway.name, gateway] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }

  private buildSidecars(objects: ObjectSet): Map<string, SidecarScope> {
    const made = objects
      .of("Sidecar", "networking.istio.io")
      .toSorted(byAge)
      .map((object) => this.sidecars.get(objectKey(object), [object], () => normaliseSidecar(object)));
    return new Map(made.map((scope) => [scope.name, scope]));
  }

  private buildVirtualServices(objects: ObjectSet, problems: Problem[]): RouteSource[] {
    return objects
      .of("VirtualService", "networking.istio.io")
      .filter(({ body }) => body.spec.hosts.length > 0)
      .sort(byAge)
      .map((object) => {
        const made = this.virtualServices.get(objectKey(object), [object], () =>
          normaliseVirtualService(object, this.domain),
        );
        problems.push(...made.problems);
        return made.value;
      });
  }

  /** One table for each host, in the order of hosts. */
  private buildRouteRules(rules: readonly RouteRuleObject[]): RouteSource[] {
    const made = rules.map((object) =>
      this.routeRules.get(objectKey(object), [object], () => normaliseRouteRule(object, this.domain)),
    );
    return [...Map.groupBy(made, ({ hostname }) => hostname)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([hostname, routes]) => {
        const ordered = routes.sort((a, b) => byPrecedence(a.object, b.object));
        return this.routeRuleTables.get(hostname, ordered, () => routeRuleTable(hostname, ordered));
      });
  }

  private buildDestinationRules(objects: ObjectSet, problems: Problem[]): PolicySource[] {
    const made = objects
      .of("DestinationRule", "networking.istio.io")
      .toSorted(bySelectorAndAge)
      .map((object) =>
        this.destinationRules.get(objectKey(object), [object], () =>
          normaliseDestinationRule(object, this.domain),
        ),
      );
    return [...Map.groupBy(made, mergeKey)].map(([key, sources]) => {
      const merged = this.mergedRules.get(key, sources, () => mergeDestinationRules(sources));
      problems.push(...merged.problems);
      return merged.value;
    });
  }
}
