// What an Envoy says it holds, against what it was sent.
import { equals, fromBinary, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Resource } from "@keelson/protos";
import type { ConnectionView } from "@keelson/xds";
import { envoyRegistry, envoyTypeUrls } from "@keelson/xds/envoy";
import { type Dump, type DumpedResource, type DumpedType, dumpedTypes } from "./dump.ts";

/** What was sent on a stream, as far as it is looked at. */
export type Sent = Pick<ConnectionView, "resources" | "names">;

/** What an Envoy should hold and does not, or holds and should not; in words. */
export const whatItLacks = (sent: Sent, dump: Dump): string[] => [
  ...dump.unsettled,
  ...dumpedTypes.flatMap((type) => lacksOf(type, sent, dump.active[type])),
];

function lacksOf(type: DumpedType, sent: Sent, held: ReadonlyMap<string, DumpedResource>): string[] {
  const typeUrl = envoyTypeUrls[type];
  const resources = new Map(sent.resources(typeUrl).map((resource) => [resource.name, resource]));
  const unknown = sent.names(typeUrl).filter((name) => !resources.has(name));
  // Routes and endpoints of what drains stay for a while.
  const drops = type === "cluster" || type === "listener";
  const left = drops ? [...held.keys()].filter((name) => !resources.has(name)) : [];
  return [
    ...unknown.map((name) => `${type} ${name} was asked for and is not there`),
    ...[...resources].flatMap(([name, resource]) => differs(type, resource, held.get(name))),
    ...left.map((name) => `${type} ${name} is still there`),
  ];
}

function differs(type: DumpedType, { name, body }: Resource, held: DumpedResource | undefined): string[] {
  if (held === undefined) return [`${type} ${name} is missing`];
  const any = fromJson(AnySchema, held as JsonValue, { registry: envoyRegistry });
  const schema = envoyRegistry.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
  if (schema === undefined) return [`${type} ${name} is held as a ${any.typeUrl}`];
  const same =
    type === "endpoint"
      ? addressesOf(body) === addressesOf(any.value)
      : equals(schema, fromBinary(schema, body), fromBinary(schema, any.value), {
          registry: envoyRegistry,
          unpackAny: true,
          unknown: true,
        });
  return same ? [] : [`${type} ${name} is held as something else than was sent`];
}

/** An Envoy shows endpoints as what it made of them: only addresses and priorities are as they were sent. */
function addressesOf(body: Uint8Array): string {
  const { endpoints }: ClusterLoadAssignment = fromBinary(ClusterLoadAssignmentSchema, body);
  return endpoints
    .flatMap(({ lbEndpoints, priority }) =>
      lbEndpoints.flatMap(({ hostIdentifier: { case: kind, value } }) =>
        kind === "endpoint" ? `${priority} ${JSON.stringify(value.address?.address.value)}` : [],
      ),
    )
    .sort()
    .join();
}
