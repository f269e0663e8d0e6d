import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { AggregatedDiscoveryService } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";

const method = AggregatedDiscoveryService.method.deltaAggregatedResources;

/**
 * Delta ADS as `@grpc/grpc-js` wants it. The server's answers are bytes already: their resources are encoded once
 * for all nodes.
 */
export const deltaAds = {
  deltaAggregatedResources: {
    path: `/${AggregatedDiscoveryService.typeName}/${method.name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (request: DeltaDiscoveryRequest): Buffer =>
      Buffer.from(toBinary(DeltaDiscoveryRequestSchema, request)),
    requestDeserialize: (bytes: Buffer): DeltaDiscoveryRequest => fromBinary(DeltaDiscoveryRequestSchema, bytes),
    responseSerialize: (response: Buffer): Buffer => response,
    responseDeserialize: (bytes: Buffer): DeltaDiscoveryResponse => fromBinary(DeltaDiscoveryResponseSchema, bytes),
  },
} as const;

/** Keepalive of both sides, in ms: a peer that is gone without a word is noticed within half a minute. */
export const keepalive = { "grpc.keepalive_time_ms": 20_000, "grpc.keepalive_timeout_ms": 10_000 } as const;
