import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import { ApplicationProtocol } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import type { ClusterEntry, ServiceClusters } from "../envoy/cluster/service-clusters.ts";
import { serviceHosts } from "../envoy/route/outbound-hosts.ts";
import { egressOf } from "../envoy/route/outbound-routes.ts";
import { emptyRouteConfiguration, routeConfiguration } from "../envoy/route/virtual-host.ts";
import { type Making, MeshResources } from "../envoy/state/mesh-resources.ts";
import { noResources, type ResourceMap } from "../envoy/state/resource-maps.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import { resourceOf } from "../envoy/wire.ts";
import { clientListener } from "./client-listener.ts";
import { grpcRoutes } from "./grpc-routes.ts";
import { parseClientName } from "./listener-names.ts";

/**
 * Listeners and routes, made when they are asked for: each client names the few that it wants. Another object as soon as
 * any of them may have changed.
 */
export class NamedResources {
  /** The list that has none of them, by which it is told that nothing changed. */
  readonly list: ResourceMap = new Map();
  readonly made = new Map<string, Resource>();
}

export interface GrpcInputs {
  readonly clusters: ServiceClusters;
  readonly named: NamedResources;
}

/** What gRPC clients with one scope and the same traits get for their calls. */
export class GrpcResources extends MeshResources {
  private readonly inputs: GrpcInputs;

  constructor(making: Making, inputs: GrpcInputs) {
    super(making);
    this.inputs = inputs;
  }

  get listeners(): ResourceMap {
    return this.inputs.named.list;
  }

  get routes(): ResourceMap {
    return this.inputs.named.list;
  }

  get nameTable(): ResourceMap {
    return noResources;
  }

  protected ruleTables(): RouteTable[] {
    return this.context.scope.egress.flatMap(({ tables }) => tables);
  }

  protected override entriesOf(
    ...[scoped, parts]: Parameters<MeshResources["entriesOf"]>
  ): readonly ClusterEntry[] {
    return this.inputs.clusters.get(scoped, this.context, parts);
  }

  protected otherClusters(): Resource[] {
    return [];
  }

  protected remake(making: Making): GrpcResources {
    return new GrpcResources(making, this.inputs);
  }

  stray(typeUrl: string, name: string): Resource | undefined {
    const { made } = this.inputs.named;
    const key = `${typeUrl} ${name}`;
    const resource = made.get(key) ?? this.make(typeUrl, name);
    if (resource !== undefined) made.set(key, resource);
    // Names that lead nowhere are not remembered: there may be any number of them.
    return resource ?? (typeUrl === envoyTypeUrls.route ? emptyRouteConfiguration(name) : undefined);
  }

  private make(typeUrl: string, name: string): Resource | undefined {
    switch (typeUrl) {
      case envoyTypeUrls.listener:
        return this.listenerOf(name);
      case envoyTypeUrls.route:
        return this.routesOf(name);
      default:
        return undefined;
    }
  }

  private listenerOf(name: string): Resource | undefined {
    const { scope, proxy } = this.context;
    const { hostnames, port } = parseClientName(name, proxy.domain);
    const [named] = hostnames.flatMap((hostname) => this.context.visible(hostname) ?? []);
    const found = scope.services.find(({ service }) => service === named);
    const ports = (found?.ports ?? []).filter(
      ({ applicationProtocol }) => applicationProtocol !== ApplicationProtocol.UDP,
    );
    const [only, ...others] = port === undefined ? ports : ports.filter((each) => each.port === port);
    // Without a port in the name, one of several would be a guess.
    if (found === undefined || only === undefined || others.length > 0) return undefined;
    const listener = clientListener({ name, service: found.service, port: only.port, proxy });
    return resourceOf(ListenerSchema, name, listener);
  }

  /** The virtual host of one service's port, as sidecars have it. @param name "outbound|80||host" */
  private routesOf(name: string): Resource | undefined {
    const [direction, digits, , host] = name.split("|");
    const port = Number(digits);
    const egress = direction === "outbound" ? egressOf(name, port, this.context.scope.egress) : undefined;
    if (egress === undefined || host === undefined) return undefined;
    const [found] = serviceHosts({
      services: egress.services.filter(({ service }) => service.hostname === host),
      tables: egress.tables,
      port,
      // gRPC looks for its target as it was given, port included.
      portInDomains: true,
      context: this.context,
      adapt: (routes) => grpcRoutes(routes, name),
    });
    return found && routeConfiguration(name, [found.encode(found.domains)]);
  }
}
