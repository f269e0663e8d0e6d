import type { Extension, Gateway, Mesh, SidecarScope } from "@keelson/protos/proxy";
import { objectKey, type Problem } from "./config-object.ts";
import { Derived } from "./derived.ts";
import { GatewayApi } from "./gateway-api.ts";
import { Ingresses } from "./ingresses.ts";
import type { ObjectLists } from "./list-memo.ts";
import { Memo } from "./memo.ts";
import type { PolicySource, RouteSource } from "./model.ts";
import { normaliseIstioGateway } from "./normalise/istio-gateways.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { ReferenceGrants } from "./normalise/reference-grants.ts";
import { routeRuleTable } from "./normalise/route-rule-table.ts";
import { type HostRoute, normaliseRouteRule } from "./normalise/route-rules.ts";
import { normaliseSidecar } from "./normalise/sidecars.ts";
import { normaliseWasmPlugin } from "./normalise/wasm-plugins.ts";
import { byAge, byPrecedence } from "./order.ts";
import { Policies } from "./policies.ts";
import { VirtualServices } from "./virtual-services.ts";

/** What is asked of those who call. */
export interface Ruled {
  readonly routes: Map<string, RouteSource>;
  readonly policies: Map<string, PolicySource>;
  readonly gateways: Map<string, Gateway>;
  readonly sidecarScopes: Map<string, SidecarScope>;
  readonly extensions: Map<string, Extension>;
}

/** Makes route tables, policies, gateways and scopes; remembers what it made of objects that did not change. */
export class Rules {
  private readonly domain: string;
  private readonly gatewayApi: GatewayApi;
  private readonly ingresses = new Ingresses();
  private readonly policies: Policies;
  private readonly virtualServices: VirtualServices;
  private readonly routeRules = new Memo<HostRoute>();
  private readonly routeRuleTables = new Memo<RouteSource>();
  private readonly gateways = new Memo<Normalised<Gateway>>();
  private readonly grants = new Derived(
    (objects: ConstructorParameters<typeof ReferenceGrants>[0]) => new ReferenceGrants(objects),
  );
  private readonly sidecars = new Memo<SidecarScope>();
  private readonly extensions = new Memo<Extension>();

  constructor(domain: string) {
    this.domain = domain;
    this.gatewayApi = new GatewayApi(domain);
    this.policies = new Policies(domain);
    this.virtualServices = new VirtualServices(domain);
  }

  build(objects: ObjectLists, mesh: Mesh, problems: Problem[]): Ruled {
    const grants = this.grants.of(objects.of("ReferenceGrant", "gateway.networking.k8s.io"));
    // In the order in which they are asked: of two APIs that speak of one host, the newer one counts.
    const routes = [
      ...this.virtualServices.build(objects, problems),
      ...this.gatewayApi.buildTables(objects, grants, problems),
      ...this.ingresses.buildTables(objects, mesh, problems),
      ...this.buildRouteRules(objects),
    ];
    const policies = this.policies.build(objects, problems);
    const gateways = this.buildGateways(objects, mesh, grants, problems);
    const scopes = this.buildSidecars(objects);
    const extensions = this.buildExtensions(objects);
    this.endRound();
    return {
      routes: new Map(routes.map((source) => [source.table.name, source])),
      policies: new Map(policies.map((source) => [source.policy.name, source])),
      gateways: new Map(gateways.map((gateway) => [gateway.name, gateway])),
      sidecarScopes: new Map(scopes.map((scope) => [scope.name, scope])),
      extensions: new Map(extensions.map((extension) => [extension.name, extension])),
    };
  }

  /** One table for each host, in the order of hosts. */
  private buildRouteRules(objects: ObjectLists): RouteSource[] {
    const made = objects
      .of("RouteRule", "config.istio.io")
      .map((object) =>
        this.routeRules.get(objectKey(object), [object], () => normaliseRouteRule(object, this.domain)),
      );
    return [...Map.groupBy(made, ({ hostname }) => hostname)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([hostname, routes]) => {
        const ordered = routes.sort((a, b) => byPrecedence(a.object, b.object));
        return this.routeRuleTables.get(hostname, ordered, () => routeRuleTable(hostname, ordered));
      });
  }

  private buildGateways(
    objects: ObjectLists,
    mesh: Mesh,
    grants: ReferenceGrants,
    problems: Problem[],
  ): Gateway[] {
    const ofIstio = objects.of("Gateway", "networking.istio.io").map((object) => {
      const make = (): Normalised<Gateway> => normaliseIstioGateway(object, grants);
      const made = this.gateways.get(objectKey(object), [object, grants], make);
      problems.push(...made.problems);
      return made.value;
    });
    const all = [
      ...ofIstio,
      ...this.gatewayApi.buildGateways(objects, grants, problems),
      ...this.ingresses.buildGateways(objects, mesh),
    ];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private buildSidecars(objects: ObjectLists): SidecarScope[] {
    return objects
      .of("Sidecar", "networking.istio.io")
      .toSorted(byAge)
      .map((object) => this.sidecars.get(objectKey(object), [object], () => normaliseSidecar(object)));
  }

  /** The highest priority first; of equal ones the older one. */
  private buildExtensions(objects: ObjectLists): Extension[] {
    return objects
      .of("WasmPlugin", "extensions.istio.io")
      .toSorted(byAge)
      .map((object) => this.extensions.get(objectKey(object), [object], () => normaliseWasmPlugin(object)))
      .sort((a, b) => b.priority - a.priority);
  }

  private endRound(): void {
    this.gatewayApi.endRound();
    this.ingresses.endRound();
    for (const memo of [this.routeRules, this.routeRuleTables]) memo.endRound();
    for (const memo of [this.gateways, this.sidecars, this.extensions]) memo.endRound();
  }
}
