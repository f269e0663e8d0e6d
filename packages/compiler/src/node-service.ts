import { create } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";
import {
  type Destination,
  DestinationSchema,
  PortConnectionRouteSchema,
  PortRouteSchema,
  type Service,
  type ServicePort,
  ServiceSchema,
} from "@keelson/protos/policy";
import type { ResolvedDestination } from "./destination.ts";
import { destinationPolicy } from "./effective-policy.ts";
import type { RelayedRoute } from "./relayed-routes.ts";
import type { ResolvedPort } from "./resolve-routes.ts";
import { resource } from "./resource.ts";
import type { Scene } from "./scene.ts";

/**
 * What nodes are told of a service: what proxies are, and the routes of its ports. These are kept as bytes only.
 * @param ports those of the message
 */
export function nodeService(scene: Scene, message: Service, ports: readonly ResolvedPort[]): Resource {
  if (ports.every(({ routes }) => routes.length === 0))
    return resource(ServiceSchema, message.hostname, message);
  const withRoutes = message.ports.map((port, i) => ({
    ...port,
    ...routesOf(scene, ports[i]?.routes ?? []),
  }));
  return resource(ServiceSchema, message.hostname, { ...message, ports: withRoutes });
}

function routesOf(
  scene: Scene,
  relayed: readonly RelayedRoute[],
): Pick<ServicePort, "routes" | "connectionRoutes"> {
  const told = (destinations: readonly ResolvedDestination[]) =>
    destinations.map((destination) => destinationMessage(scene, destination));
  return {
    routes: relayed.flatMap(({ route, destinations, mirrors }) =>
      route.$typeName === "keelson.policy.v1.HttpRoute"
        ? [create(PortRouteSchema, { route, destinations: told(destinations), mirrors: told(mirrors) })]
        : [],
    ),
    connectionRoutes: relayed.flatMap(({ route, destinations }) =>
      route.$typeName === "keelson.policy.v1.ConnectionRoute"
        ? [create(PortConnectionRouteSchema, { route, destinations: told(destinations) })]
        : [],
    ),
  };
}

function destinationMessage(scene: Scene, destination: ResolvedDestination): Destination {
  const { weight, endpointSet } = destination;
  const policy = destinationPolicy(scene, destination);
  return create(DestinationSchema, { weight, endpointSet, ...(policy && { policy }) });
}
