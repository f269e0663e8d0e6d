import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { type Cluster, ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { FilterChain } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type {
  Route,
  RouteAction,
  VirtualHost,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { PolicyIr } from "@keelson/protos";
import { EnvoyGenerator } from "../generator.ts";
import type { ProxyNode } from "../proxy-node.ts";
import type { ProxyView } from "../proxy-view.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import { anIr, type IrParts } from "./builders.ts";
import { aProxy } from "./proxies.ts";
import { chainsOf, filtersOf } from "./references.ts";

/** The message that an extension holds. @throws Error if it is another one, or none. */
export function unpack<Desc extends DescMessage>(schema: Desc, any: Any | undefined): MessageShape<Desc> {
  const found = any?.typeUrl.split("/").at(-1);
  if (any === undefined || found !== schema.typeName)
    throw new Error(`is a ${found}, wanted a ${schema.typeName}`);
  return fromBinary(schema, any.value);
}

/** What a filter, a socket or the like holds. */
export const typedConfigOf = <Desc extends DescMessage>(
  schema: Desc,
  extension:
    | { readonly configType: { readonly case: string | undefined; readonly value?: unknown } }
    | undefined,
): MessageShape<Desc> => unpack(schema, extension?.configType.value as Any | undefined);

/** A proxy's resources as messages. */
export class Decoded {
  readonly view: ProxyView;

  constructor(view: ProxyView) {
    this.view = view;
  }

  names(type: keyof typeof envoyTypeUrls): string[] {
    return [...this.view.resources(envoyTypeUrls[type]).keys()];
  }

  private decode<Desc extends DescMessage>(type: keyof typeof envoyTypeUrls, schema: Desc, name: string) {
    const resource = this.view.lookup(envoyTypeUrls[type], name);
    if (resource === undefined)
      throw new Error(`no ${type} "${name}"; there are: ${this.names(type).join(", ")}`);
    return fromBinary(schema, resource.body);
  }

  cluster(name: string): Cluster {
    return this.decode("cluster", ClusterSchema, name);
  }

  endpoints(name: string): ClusterLoadAssignment {
    return this.decode("endpoint", ClusterLoadAssignmentSchema, name);
  }

  listener(name: string): Listener {
    return this.decode("listener", ListenerSchema, name);
  }

  routes(name: string): RouteConfiguration {
    return this.decode("route", RouteConfigurationSchema, name);
  }

  virtualHost(routes: string, name: string): VirtualHost {
    const { virtualHosts } = this.routes(routes);
    const host = virtualHosts.find((candidate) => candidate.name === name);
    if (host === undefined) {
      throw new Error(`no host "${name}"; there are: ${virtualHosts.map((other) => other.name).join(", ")}`);
    }
    return host;
  }
}

/** What a proxy gets from a mesh. */
export const decoded = (mesh: IrParts | PolicyIr, proxy: ProxyNode = aProxy()): Decoded =>
  new Decoded(
    new EnvoyGenerator().view(
      mesh.services instanceof Map ? (mesh as PolicyIr) : anIr(mesh as IrParts),
      proxy,
    ),
  );

/** @throws Error unless the route forwards. */
export function actionOf(route: Route | undefined): RouteAction {
  if (route?.action.case !== "route") throw new Error(`the route does not forward: ${route?.action.case}`);
  return route.action.value;
}

/** What a chain does, in few words: "routes 9080", "inline inbound|8080||", "cluster a", "clusters a=1 b=3". */
export function summaryOf(chain: FilterChain): string {
  const { managers, proxies } = filtersOf(chain);
  const [manager] = managers;
  const [proxy] = proxies;
  if (manager?.routeSpecifier.case === "rds") return `routes ${manager.routeSpecifier.value.routeConfigName}`;
  if (manager?.routeSpecifier.case === "routeConfig") return `inline ${manager.routeSpecifier.value.name}`;
  const specifier = proxy?.clusterSpecifier;
  if (specifier?.case === "cluster") return `cluster ${specifier.value}`;
  if (specifier?.case !== "weightedClusters") return "nothing";
  return `clusters ${specifier.value.clusters.map(({ name, weight }) => `${name}=${weight}`).join(" ")}`;
}

export const summariesOf = (listener: Listener): string[] => chainsOf(listener).map(summaryOf);
