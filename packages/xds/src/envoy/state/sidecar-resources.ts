import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import { Resolution } from "@keelson/protos/policy";
import { loopbacksOf } from "../addresses.ts";
import { labelPartsOf } from "../cluster/label-parts.ts";
import { holdsEndpoints } from "../cluster/outbound-cluster.ts";
import type { ClusterEntry } from "../cluster/service-clusters.ts";
import {
  blackHoleCluster,
  inboundPassthroughCluster,
  passthroughCluster,
} from "../cluster/special-clusters.ts";
import type { Context } from "../context.ts";
import { matchAll } from "../listener/chain-plan.ts";
import type { ListenerPlan } from "../listener/listener-merger.ts";
import {
  type OutboundSettings,
  outboundListener,
  virtualOutboundListener,
} from "../listener/outbound-listener.ts";
import { outboundPlans } from "../listener/outbound-plan.ts";
import { nameTable } from "../name-table.ts";
import { clusterNames, httpProxyRoute, listenerNames } from "../names.ts";
import { outboundRoutes } from "../route/outbound-routes.ts";
import { emptyRouteConfiguration } from "../route/virtual-host.ts";
import { resourceOf } from "../wire.ts";
import { dataKey } from "./interner.ts";
import type { Makers } from "./makers.ts";
import { type ResourceMap, resourceMap } from "./resource-maps.ts";
import type { Made, SharedResources } from "./shared-resources.ts";
import { Origin } from "./shared-state.ts";

/** What sidecars with one scope and the same traits get for the calls of their workloads. */
export class SidecarResources implements SharedResources {
  readonly context: Context;
  private readonly makers: Makers;
  /** What an earlier state had, kept only until it is compared with. */
  private readonly before: Made;
  private readonly made: Made;
  private readonly origin: Origin;
  private readonly plans: () => readonly ListenerPlan[];
  private readonly unknown = new Map<string, Resource>();

  constructor(context: Context, makers: Makers, before: Made = {}, made: Made = {}) {
    this.context = context;
    this.origin = new Origin(context);
    this.makers = makers;
    this.before = before;
    this.made = made;
    let plans: readonly ListenerPlan[] | undefined;
    this.plans = () => (plans ??= [...outboundPlans(context), ...forwardProxyPlans(context)]);
  }

  isRightFor(context: Context): boolean {
    return this.origin.isRightFor(context);
  }

  get lists(): Made {
    return { ...this.before, ...this.made };
  }

  get hostnames(): Iterable<string> {
    return this.context.scope.services.map(({ service }) => service.hostname);
  }

  get clusters(): ResourceMap {
    return (this.made.clusters ??= resourceMap(this.clusterResources(), this.before.clusters));
  }

  private get entries(): readonly ClusterEntry[] {
    return (this.made.entries ??= this.clusterEntries());
  }

  private clusterEntries(): readonly ClusterEntry[] {
    const { scope, services } = this.context;
    const parts = labelPartsOf(
      scope.egress.flatMap(({ tables }) => tables),
      services,
    );
    return scope.services.flatMap((scoped) => this.makers.clusters.get(scoped, this.context, parts));
  }

  private *clusterResources(): Generator<Resource> {
    for (const { resource } of this.entries) yield resource;
    const { mesh, proxy } = this.context;
    yield this.special(clusterNames.blackHole, () => blackHoleCluster(mesh));
    yield this.special(clusterNames.passthrough, () => passthroughCluster(mesh, proxy));
    if (proxy.interception === "NONE") return;
    yield this.special(clusterNames.inboundPassthrough, () => inboundPassthroughCluster(mesh, proxy));
  }

  private special(name: string, make: () => ReturnType<typeof blackHoleCluster>): Resource {
    const { agent, families } = this.context.proxy;
    return this.makers.special.get(dataKey([name, agent, families]), () =>
      resourceOf(ClusterSchema, name, make()),
    );
  }

  get endpoints(): ResourceMap {
    return (this.made.endpoints ??= resourceMap(this.assignments(), this.before.endpoints));
  }

  private *assignments(): Generator<Resource> {
    for (const { resource, endpoints } of this.entries) {
      if (endpoints === undefined) continue;
      const set = this.context.endpointSet(endpoints.set);
      yield this.makers.assignments.get(resource.name, set, endpoints.plan);
    }
  }

  get listeners(): ResourceMap {
    return (this.made.listeners ??= resourceMap(this.listenerResources(), this.before.listeners));
  }

  private *listenerResources(): Generator<Resource> {
    const { mesh, proxy, scope } = this.context;
    const settings: OutboundSettings = { mesh, proxy, allowAny: scope.allowAny };
    const { agent, http10, idleTimeoutMs, interception, families } = proxy;
    const settingsKey = dataKey([agent, http10, idleTimeoutMs, scope.allowAny]);
    for (const plan of this.plans()) {
      yield this.makers.listeners.get(`${settingsKey} ${dataKey(plan)}`, () => {
        const listener = outboundListener(plan, settings);
        return resourceOf(ListenerSchema, listener.name, listener);
      });
    }
    if (interception === "NONE") return;
    yield this.makers.listeners.get(
      `${settingsKey} ${dataKey([listenerNames.outbound, interception, families])}`,
      () => resourceOf(ListenerSchema, listenerNames.outbound, virtualOutboundListener(settings)),
    );
  }

  get routes(): ResourceMap {
    return (this.made.routes ??= resourceMap(this.routeResources(), this.before.routes));
  }

  private *routeResources(): Generator<Resource> {
    const targets = this.plans().flatMap(({ chains }) => chains.map(({ target }) => target));
    const names = new Set(targets.flatMap((target) => (target.kind === "http" ? target.routeName : [])));
    for (const name of [...names].sort()) {
      const routes = outboundRoutes(name, this.context);
      if (routes !== undefined) yield routes;
    }
  }

  unknownRoutes(name: string): Resource {
    const known = this.unknown.get(name);
    if (known !== undefined) return known;
    const routes = outboundRoutes(name, this.context) ?? emptyRouteConfiguration(name);
    this.unknown.set(name, routes);
    return routes;
  }

  get nameTable(): ResourceMap {
    return (this.made.nameTable ??= resourceMap([nameTable(this.context)], this.before.nameTable));
  }

  withEndpoints(changed: ReadonlySet<string>): SidecarResources {
    const services = [...changed].flatMap(
      (name) => this.context.services.get(name.split("|")[3] ?? "") ?? [],
    );
    const inClusters = services.some(holdsEndpoints);
    const inListeners = services.some(
      ({ resolution, addresses }) => resolution === Resolution.PASSTHROUGH && addresses.length === 0,
    );
    const { entries, clusters, endpoints, listeners, nameTable: names, routes } = this.made;
    const made: Made = { ...(routes && { routes }) };
    if (!inClusters) Object.assign(made, entries && { entries }, clusters && { clusters });
    if (!inListeners) Object.assign(made, listeners && { listeners }, names && { nameTable: names });
    if (!inClusters && entries && endpoints) {
      made.endpoints = this.replaceAssignments(entries, endpoints, changed);
    }
    return new SidecarResources(this.context, this.makers, this.lists, made);
  }

  private replaceAssignments(
    entries: readonly ClusterEntry[],
    before: ResourceMap,
    changed: ReadonlySet<string>,
  ): ResourceMap {
    const map = new Map(before);
    let differs = false;
    for (const { resource, endpoints } of entries) {
      if (endpoints === undefined || !changed.has(endpoints.set)) continue;
      const { name } = resource;
      const set = this.context.endpointSet(endpoints.set);
      const assignment = this.makers.assignments.get(name, set, endpoints.plan);
      if (assignment.version === before.get(name)?.version) continue;
      map.set(name, assignment);
      differs = true;
    }
    return differs ? map : before;
  }
}

/** A forward proxy on the loopback interface, for applications that are told to use one. */
function forwardProxyPlans({ proxy }: Context): ListenerPlan[] {
  if (proxy.httpProxyPort === undefined) return [];
  const target = { kind: "http", routeName: httpProxyRoute, grpcWeb: false, forwardProxy: true } as const;
  return [
    {
      binds: loopbacksOf(proxy.families),
      port: proxy.httpProxyPort,
      bindToPort: true,
      chains: [{ match: matchAll, target }],
    },
  ];
}
