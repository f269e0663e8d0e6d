import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import type { RouteTable } from "@keelson/protos/route";
import { loopbacksOf } from "../addresses.ts";
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
import { clusterNames, httpProxyRoute, listenerName, listenerNames } from "../names.ts";
import { outboundRoutes } from "../route/outbound-routes.ts";
import { filtersKey } from "../traits.ts";
import { EnvoyResources } from "./envoy-resources.ts";
import { dataKey } from "./interner.ts";
import type { Making } from "./mesh-resources.ts";

/** What sidecars with one scope and the same traits get for the calls of their workloads. */
export class SidecarResources extends EnvoyResources {
  private known: readonly ListenerPlan[] | undefined;

  private get plans(): readonly ListenerPlan[] {
    return (this.known ??= [...outboundPlans(this.context), ...forwardProxyPlans(this.context)]);
  }

  protected ruleTables(): RouteTable[] {
    return this.context.scope.egress.flatMap(({ tables }) => tables);
  }

  protected *otherClusters(): Generator<Resource> {
    const { mesh, proxy } = this.context;
    yield this.special(clusterNames.blackHole, () => blackHoleCluster(mesh));
    yield this.special(clusterNames.passthrough, () => passthroughCluster(mesh, proxy));
    if (proxy.interception === "NONE") return;
    yield this.special(clusterNames.inboundPassthrough, () => inboundPassthroughCluster(mesh, proxy));
  }

  protected *makeListeners(): Generator<Resource> {
    const { mesh, proxy, passesThrough } = this.context;
    const settings: OutboundSettings = { mesh, proxy, passesThrough };
    const { agent, http10, idleTimeoutMs, interception, families } = proxy;
    const settingsKey = dataKey([agent, http10, idleTimeoutMs, passesThrough, filtersKey(proxy)]);
    for (const plan of this.plans) {
      const key = `${settingsKey} ${dataKey(plan)}`;
      yield this.makers.special(key, ListenerSchema, plan.name, () => outboundListener(plan, settings));
    }
    if (interception === "NONE") return;
    const key = `${settingsKey} ${dataKey([interception, families])}`;
    const { outbound } = listenerNames;
    yield this.makers.special(key, ListenerSchema, outbound, () => virtualOutboundListener(settings));
  }

  protected *makeRoutes(): Generator<Resource> {
    const targets = this.plans.flatMap(({ chains }) => chains.map(({ target }) => target));
    const names = new Set(targets.flatMap((target) => (target.kind === "http" ? target.routeName : [])));
    for (const name of [...names].sort()) {
      const routes = outboundRoutes(name, this.context);
      if (routes !== undefined) yield routes;
    }
  }

  protected strayRoutes(name: string): Resource | undefined {
    return outboundRoutes(name, this.context);
  }

  protected remake(making: Making): SidecarResources {
    return new SidecarResources(making);
  }
}

/** A forward proxy on the loopback interface, for applications that are told to use one. */
function forwardProxyPlans({ proxy }: Context): ListenerPlan[] {
  if (proxy.httpProxyPort === undefined) return [];
  const target = { kind: "http", routeName: httpProxyRoute, grpcWeb: false, forwardProxy: true } as const;
  const binds = loopbacksOf(proxy.families);
  return [
    {
      name: listenerName(binds[0] ?? "", proxy.httpProxyPort),
      binds,
      port: proxy.httpProxyPort,
      bindToPort: true,
      chains: [{ match: matchAll, target }],
    },
  ];
}
