import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type Route,
  type VirtualHost_TlsRequirementType as TlsRequirement,
  VirtualHostSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { Resource } from "@keelson/protos";
import { resourceOf, resourceOfBytes } from "../wire.ts";

export interface VirtualHostInputs {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
  readonly requireTls?: TlsRequirement;
}

const fieldNumber = (name: keyof typeof RouteConfigurationSchema.field): number =>
  RouteConfigurationSchema.field[name].number;

/**
 * A virtual host as it stands in a serialised route configuration, tag and length included: they are many, and most are
 * the same in all route configurations they stand in.
 */
export function virtualHost({ name, domains, routes, requireTls }: VirtualHostInputs): Uint8Array {
  const message = create(VirtualHostSchema, {
    name,
    domains: [...domains],
    routes: [...routes],
    ...(requireTls !== undefined && { requireTls }),
    includeRequestAttemptCount: true,
  });
  return new BinaryWriter()
    .tag(fieldNumber("virtualHosts"), WireType.LengthDelimited)
    .bytes(toBinary(VirtualHostSchema, message))
    .finish();
}

/** As much as a validated rule may answer with directly; Envoy's own limit is 4 KiB. */
const maxDirectResponseBodySizeBytes = 1024 * 1024;

/** A message may be put together from parts: repeated fields add up. @param hosts made by {@link virtualHost}. */
export function routeConfiguration(name: string, hosts: readonly Uint8Array[]): Resource {
  const head = create(RouteConfigurationSchema, {
    name,
    // Clusters come by a stream of their own; one that is missing answers 503.
    validateClusters: false,
    maxDirectResponseBodySizeBytes,
    ignorePortInHostMatching: true,
  });
  return resourceOfBytes(name, Buffer.concat([toBinary(RouteConfigurationSchema, head), ...hosts]));
}

/** What a proxy gets for a name that leads nowhere, such as that of a listener it is just draining. */
export const emptyRouteConfiguration = (name: string): Resource =>
  resourceOf(
    RouteConfigurationSchema,
    name,
    create(RouteConfigurationSchema, { name, validateClusters: false }),
  );
