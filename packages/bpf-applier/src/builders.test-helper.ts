// Builders for tests: every field has a default, so that a new field touches no test.
import { create, toBinary } from "@bufbuild/protobuf";
import { policyTypeUrls } from "@keelson/protos";
import {
  DestinationSchema,
  type Endpoint,
  EndpointSchema,
  EndpointSetSchema,
  Protocol,
  type Service,
  ServicePortSchema,
  ServiceSchema,
} from "@keelson/protos/policy";
import type { DeltaUpdate } from "@keelson/xds";

export const ip = (text: string): Uint8Array => Uint8Array.from(text.split(".").map(Number));

export function endpoint(
  address: string,
  fields: { weight?: number; workload?: string; port?: number } = {},
): Endpoint {
  return create(EndpointSchema, {
    address: ip(address),
    port: fields.port ?? 9080,
    weight: fields.weight ?? 1,
    workload: fields.workload ?? `default/pod-${address}`,
  });
}

export function service(
  hostname: string,
  fields: {
    addresses?: readonly Uint8Array[];
    port?: number;
    protocol?: Protocol;
    to?: Record<string, number>;
  } = {},
): Service {
  return create(ServiceSchema, {
    hostname,
    namespace: "default",
    addresses: [...(fields.addresses ?? [ip("10.96.0.1")])],
    ports: [
      create(ServicePortSchema, {
        port: fields.port ?? 80,
        protocol: fields.protocol ?? Protocol.TCP,
        destinations: Object.entries(fields.to ?? { all: 100 }).map(([endpointSet, weight]) =>
          create(DestinationSchema, { endpointSet, weight }),
        ),
      }),
    ],
  });
}

export function servicesUpdate(added: readonly Service[], removed: readonly string[] = []): DeltaUpdate {
  return {
    typeUrl: policyTypeUrls.service,
    systemVersion: "1",
    added: added.map((s) => ({ name: s.hostname, version: "1", body: toBinary(ServiceSchema, s) })),
    removed: [...removed],
  };
}

export function endpointSetsUpdate(
  sets: Record<string, readonly Endpoint[]>,
  removed: readonly string[] = [],
): DeltaUpdate {
  return {
    typeUrl: policyTypeUrls.endpointSet,
    systemVersion: "1",
    added: Object.entries(sets).map(([name, endpoints]) => ({
      name,
      version: "1",
      body: toBinary(EndpointSetSchema, create(EndpointSetSchema, { name, endpoints: [...endpoints] })),
    })),
    removed: [...removed],
  };
}
