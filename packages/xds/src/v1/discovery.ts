import type { PolicyIr } from "@keelson/protos";
import { meshGateway } from "../envoy/index/route-tables.ts";
import type { Age } from "./age.ts";
import { type Caller, callerOf } from "./caller.ts";
import { type ClusterPlan, normaliseClusters } from "./clusters.ts";
import { type Instance, isInMesh } from "./directory.ts";
import { egressProxyListener, egressProxyRoutes } from "./egress-proxy.ts";
import { optional } from "./go-json.ts";
import { ingressListeners, ingressRoutes } from "./ingress.ts";
import { type ListenerPlan, renderListener } from "./listeners.ts";
import { asksMixer, mixerCluster } from "./mixer.ts";
import { outboundRoutes } from "./outbound-http.ts";
import { renderCluster } from "./render-cluster.ts";
import { parseServiceKey, serviceKey } from "./service-key.ts";
import type { ServiceNode } from "./service-node.ts";
import { forwardProxyRoute, sidecar } from "./sidecar.ts";
import { type ProxySources, type Sources, sourcesOf } from "./sources.ts";
import { unknownActions, unknownMatches } from "./unknown-parts.ts";
import { clustersOf, combineHosts, type RouteTables, renderHosts } from "./virtual-hosts.ts";

/** A route configuration's name that Pilot of this age does not know. */
export class UnknownRouteError extends Error {
  override readonly name = "UnknownRouteError";
}

/** The answers of Pilot's v1 REST discovery, as JSON, from one policy IR. Equal input gives equal answers. */
export class V1Discovery {
  private readonly sources: Sources;

  constructor(ir: PolicyIr, age: Age) {
    this.sources = sourcesOf(ir, age);
  }

  /** /v1/registration: every port of every service in the mesh, sorted by key. */
  registration(): object {
    const { directory } = this.sources;
    return directory.services
      .filter(isInMesh)
      .flatMap((service) =>
        service.ports.map((port) => ({
          "service-key": serviceKey(service.hostname, port.name),
          hosts: this.hosts(directory.instances(service, port)),
        })),
      )
      .sort((a, b) => (a["service-key"] < b["service-key"] ? -1 : 1));
  }

  /** /v1/registration/{service-key}; an unknown key has no hosts. */
  endpoints(key: string): object {
    return { hosts: this.hosts(this.sources.directory.find(parseServiceKey(key))) };
  }

  /** /v1/clusters/{service-cluster}/{service-node} */
  clusters(node: ServiceNode): object {
    const sources = this.of(node);
    const { mesh, policies, caller } = sources;
    const plans = clusterPlans(sources);
    const rendered = (plans ?? []).map((plan) => renderCluster(plan, policyOf(plan, policies, caller), mesh));
    if (asksMixer(sources)) return { clusters: [...rendered, mixerCluster(mesh)] };
    // Go has no list for proxies that it does not know, and writes that so.
    return { clusters: plans === undefined ? null : rendered };
  }

  /** /v1/listeners/{service-cluster}/{service-node} */
  listeners(node: ServiceNode): object {
    return { listeners: listenerPlans(this.of(node))?.map(renderListener) ?? null };
  }

  /**
   * /v1/routes/{route-config-name}/{service-cluster}/{service-node}; null for what 0.2 does not know.
   * @throws UnknownRouteError for names that 0.7 refuses
   */
  routes(name: string, node: ServiceNode): object | null {
    const { age } = this.sources;
    const tables = routeTables(this.of(node));
    if (tables !== undefined && name === forwardProxyRoute) return renderHosts(combineHosts(tables), age);
    const hosts = /^\d+$/.test(name) ? tables?.get(Number(name)) : undefined;
    if (hosts !== undefined) return renderHosts(hosts, age);
    if (age === "0.2") return null;
    if (tables === undefined || !/^\d+$/.test(name)) {
      throw new UnknownRouteError(
        `route names are numbers of ports or ${forwardProxyRoute}, for sidecars and ingresses`,
      );
    }
    return renderHosts([], age);
  }

  /** /v1/az/{service-cluster}/{service-node}: "region/zone", or empty; undefined for a node that serves nothing. */
  zone(node: ServiceNode): string | undefined {
    return this.sources.directory.at(node.address)[0]?.zone;
  }

  /** What of the rules proxies of this age do not do, each with the rule's name. */
  gaps(): string[] {
    const { ir, age } = this.sources;
    const routes = [...ir.routeTables.values()]
      .filter(({ gateways }) => gateways.includes(meshGateway))
      .flatMap(({ http }) => http);
    return routes.flatMap((route) => {
      const parts = [...route.matches.flatMap(unknownMatches), ...unknownActions(route, age)];
      return [...new Set(parts)].map((part) => `${route.rule}: proxies of Pilot ${age} do not know ${part}`);
    });
  }

  private of(node: ServiceNode): ProxySources {
    return { ...this.sources, caller: callerOf(this.sources.directory, node) };
  }

  /** Pilot 0.2 knew no zones. */
  private hosts(instances: readonly Instance[]): object[] {
    const { age } = this.sources;
    return instances
      .filter(({ address }) => address !== "")
      .map(({ address, targetPort, zone }) => ({
        ip_address: address,
        port: targetPort,
        ...(age === "0.7" && zone !== "" && { tags: optional("az", zone) }),
      }));
  }
}

const policyOf = ({ target }: ClusterPlan, policies: Sources["policies"], caller: Caller) =>
  target === undefined ? {} : policies.find(target, caller);

const isEgressProxy = ({ age, caller }: ProxySources): boolean =>
  age === "0.2" && caller.node.type === "egress";

function clusterPlans(sources: ProxySources): ClusterPlan[] | undefined {
  if (sources.caller.node.type === "sidecar") return [...sidecar(sources).clusters];
  const tables = routeTables(sources);
  return tables && normaliseClusters([...tables.values()].flatMap(clustersOf));
}

function listenerPlans(sources: ProxySources): readonly ListenerPlan[] | undefined {
  const { type } = sources.caller.node;
  if (type === "sidecar") return sidecar(sources).listeners;
  if (type === "ingress") return ingressListeners(sources);
  return isEgressProxy(sources) ? [egressProxyListener(sources)] : undefined;
}

function routeTables(sources: ProxySources): RouteTables | undefined {
  const { type } = sources.caller.node;
  if (type === "sidecar") return outboundRoutes(sources);
  if (type === "ingress") return ingressRoutes(sources);
  return isEgressProxy(sources) ? egressProxyRoutes(sources) : undefined;
}
