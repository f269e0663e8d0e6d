import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import {
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { Address } from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { FilterChainMatch } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { ProxyView } from "../proxy-view.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import { violations } from "./constraints.ts";
import { clustersOf, listenersOf, referencedClusters, referencedRoutes, routesOf } from "./references.ts";

const schemas: readonly [string, DescMessage, "name" | "clusterName"][] = [
  [envoyTypeUrls.cluster, ClusterSchema, "name"],
  [envoyTypeUrls.endpoint, ClusterLoadAssignmentSchema, "clusterName"],
  [envoyTypeUrls.listener, ListenerSchema, "name"],
  [envoyTypeUrls.route, RouteConfigurationSchema, "name"],
];

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
}

/** Resources are found under their own names, and keep Envoy's rules. */
const brokenMessages = (view: ProxyView): string[] =>
  schemas.flatMap(([typeUrl, schema, nameField]) =>
    [...view.resources(typeUrl)].flatMap(([key, { name, body }]) => {
      const message: Message = fromBinary(schema, body);
      const own = (message as unknown as Record<string, string>)[nameField];
      const misnamed =
        key === name && own === name ? [] : [`${schema.name} ${key} is named ${name} and ${own}`];
      const broken = violations(schema, message).map(
        ({ path, why }) => `${schema.name} ${key}: ${path} ${why}`,
      );
      return [...misnamed, ...broken];
    }),
  );

/** A name that is looked up stands alone. */
const crowdedClusters = (view: ProxyView): string[] =>
  clustersOf(view)
    .filter(({ clusterDiscoveryType: { value } }) => value === DiscoveryType.LOGICAL_DNS)
    .map(({ name, loadAssignment }) => ({
      name,
      count: (loadAssignment?.endpoints ?? []).flatMap(({ lbEndpoints }) => lbEndpoints).length,
    }))
    .filter(({ count }) => count !== 1)
    .map(({ name, count }) => `cluster ${name} of one name has ${count}`);

const addressOf = (address: Address | undefined): string => {
  const inner = address?.address;
  if (inner?.case !== "socketAddress") return inner?.case === "pipe" ? inner.value.path : "";
  return `${inner.value.address} ${inner.value.portSpecifier.value}`;
};

/** All the combinations by which Envoy tells chains apart. */
function matchKeys(match: FilterChainMatch | undefined): string[] {
  const orAny = (values: readonly string[]): readonly string[] => (values.length === 0 ? [""] : values);
  const prefixes = (match?.prefixRanges ?? []).map(
    ({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen}`,
  );
  return orAny(match?.serverNames ?? []).flatMap((name) =>
    orAny(prefixes).flatMap((prefix) =>
      orAny(match?.applicationProtocols ?? []).map(
        (protocol) =>
          `${match?.destinationPort ?? 0} ${prefix} ${name} ${match?.transportProtocol ?? ""} ${protocol}`,
      ),
    ),
  );
}

const ambiguousListeners = (view: ProxyView): string[] => {
  const listeners = listenersOf(view);
  const addresses = listeners.flatMap(({ address, additionalAddresses }) =>
    // Listeners inside the proxy have no address.
    [address, ...additionalAddresses.map((additional) => additional.address)].map(addressOf).filter(Boolean),
  );
  return [
    ...repeated(addresses).map((address) => `two listeners have the address ${address}`),
    ...listeners.flatMap(({ name, filterChains, defaultFilterChain }) => [
      ...(filterChains.length === 0 && defaultFilterChain === undefined
        ? [`listener ${name} has no filter chain`]
        : []),
      ...repeated(filterChains.flatMap(({ filterChainMatch }) => matchKeys(filterChainMatch))).map(
        (key) => `listener ${name} has two filter chains for ${key}`,
      ),
    ]),
  ];
};

const ambiguousHosts = (view: ProxyView): string[] =>
  routesOf(view).flatMap(({ name, virtualHosts }) => [
    ...repeated(virtualHosts.map((host) => host.name)).map((host) => `routes ${name} have two hosts ${host}`),
    ...repeated(virtualHosts.flatMap(({ domains }) => domains.map((domain) => domain.toLowerCase()))).map(
      (domain) => `routes ${name} have the domain ${domain} twice`,
    ),
  ]);

/** Whatever refers to something by name finds it. @param mayMiss clusters that cannot be there. */
function danglingReferences(view: ProxyView, mayMiss: (cluster: string) => boolean): string[] {
  const has = (typeUrl: string, name: string): boolean => view.resources(typeUrl).has(name);
  const clusters = [...referencedClusters(view)].filter(
    (name) => !has(envoyTypeUrls.cluster, name) && !mayMiss(name),
  );
  const routes = [...referencedRoutes(view)].filter((name) => !has(envoyTypeUrls.route, name));
  const byEds = clustersOf(view).filter(
    ({ clusterDiscoveryType: { case: kind, value } }) => kind === "type" && value === DiscoveryType.EDS,
  );
  const assignments = byEds.filter(({ name }) => !has(envoyTypeUrls.endpoint, name));
  return [
    ...clusters.map((name) => `there is no cluster ${name}`),
    ...routes.map((name) => `there are no routes ${name}`),
    ...assignments.map(({ name }) => `there are no endpoints of cluster ${name}`),
  ];
}

/** Everything about a proxy's resources that Envoy would refuse, warn of, or answer 503 for; empty if all is well. */
export const faultsOf = (view: ProxyView, mayMiss: (cluster: string) => boolean = () => false): string[] => [
  ...brokenMessages(view),
  ...crowdedClusters(view),
  ...ambiguousListeners(view),
  ...ambiguousHosts(view),
  ...danglingReferences(view, mayMiss),
];
