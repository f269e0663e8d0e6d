import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type Route,
  type VirtualHost_TlsRequirementType as TlsRequirement,
  VirtualHostSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { Resource } from "@keelson/protos";
import { type Init, resourceOfBytes } from "../wire.ts";

export interface VirtualHostInputs {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
  readonly requireTls?: TlsRequirement;
}

/** A serialised virtual host: they are many, and most are the same in all route configurations they stand in. */
export const virtualHost = ({ name, domains, routes, requireTls }: VirtualHostInputs): Uint8Array =>
  toBinary(
    VirtualHostSchema,
    create(VirtualHostSchema, {
      name,
      domains: [...domains],
      routes: [...routes],
      ...(requireTls !== undefined && { requireTls }),
      includeRequestAttemptCount: true,
    }),
  );

const fieldNumber = (name: keyof RouteConfiguration): number => {
  const field = RouteConfigurationSchema.field[name as keyof typeof RouteConfigurationSchema.field];
  if (field === undefined) throw new Error(`RouteConfiguration has no field "${name}"`);
  return field.number;
};
const virtualHostsField = fieldNumber("virtualHosts");

/** As much as a validated rule may answer with directly; Envoy's own limit is 4 KiB. */
const maxDirectResponseBodySizeBytes = 1024 * 1024;

/** A message may be put together from parts: repeated fields add up. @param hosts serialised, in their order. */
export function routeConfiguration(
  name: string,
  hosts: readonly Uint8Array[],
  fields: Init<typeof RouteConfigurationSchema> = {},
): Resource {
  const head = create(RouteConfigurationSchema, {
    name,
    // Clusters come by a stream of their own; one that is missing answers 503.
    validateClusters: false,
    maxDirectResponseBodySizeBytes,
    ignorePortInHostMatching: true,
    ...fields,
  });
  const writer = new BinaryWriter().raw(toBinary(RouteConfigurationSchema, head));
  for (const host of hosts) writer.tag(virtualHostsField, WireType.LengthDelimited).bytes(host);
  return resourceOfBytes(name, writer.finish());
}

/** What a proxy gets for a name that leads nowhere, such as that of a listener it is just draining. */
export const emptyRouteConfiguration = (name: string): Resource =>
  routeConfiguration(name, [], {
    maxDirectResponseBodySizeBytes: undefined as never,
    ignorePortInHostMatching: false,
  });
