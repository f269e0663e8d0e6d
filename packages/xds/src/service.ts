import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { AggregatedDiscoveryService } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { messageOf } from "./message-of.ts";

const method = AggregatedDiscoveryService.method.deltaAggregatedResources;

/** Bytes from a peer that are no DeltaDiscoveryRequest. */
export class MalformedRequest {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A value instead of an exception: gRPC would end the stream without telling the server's code why. */
function parseRequest(bytes: Buffer): DeltaDiscoveryRequest | MalformedRequest {
  try {
    return fromBinary(DeltaDiscoveryRequestSchema, bytes);
  } catch (error) {
    const what = `${bytes.length} bytes are no ${method.input.name}`;
    return new MalformedRequest(`${what}: ${messageOf(error)}`);
  }
}

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
    requestDeserialize: parseRequest,
    responseSerialize: (response: Buffer): Buffer => response,
    responseDeserialize: (bytes: Buffer): DeltaDiscoveryResponse =>
      fromBinary(DeltaDiscoveryResponseSchema, bytes),
  },
} as const;

/** Keepalive of both sides, in ms: a peer that is gone without a word is noticed within half a minute. */
export const keepalive = { "grpc.keepalive_time_ms": 20_000, "grpc.keepalive_timeout_ms": 10_000 } as const;

/**
 * Options for the gRPC server that serves xDS. A request may be larger than gRPC's 4 MiB: a node that comes again names
 * in one message all that it holds of a type, about 100 bytes for each resource.
 */
export const serverOptions = { ...keepalive, "grpc.max_receive_message_length": 16 * 1024 * 1024 } as const;
