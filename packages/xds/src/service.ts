import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { AggregatedDiscoveryService } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import { type DescribedMethod, grpcMethod } from "@keelson/protos";
import { messageOf } from "./message-of.ts";

const { deltaAggregatedResources, streamAggregatedResources } = AggregatedDiscoveryService.method;

/** Bytes from a peer that are no request. */
export class MalformedRequest {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * One way to speak ADS, as `@grpc/grpc-js` wants it. Bytes that are no request become a value instead of an exception:
 * gRPC would end the stream without telling the server's code why. The server's answers are bytes already: their
 * resources are encoded once for all nodes.
 */
function adsMethod<Request extends DescMessage, Response extends DescMessage>(
  method: DescribedMethod<Request, Response>,
) {
  const { input } = method;
  return {
    ...grpcMethod(method),
    requestDeserialize: (bytes: Buffer): MessageShape<Request> | MalformedRequest => {
      try {
        return fromBinary(input, bytes);
      } catch (error) {
        return new MalformedRequest(`${bytes.length} bytes are no ${input.name}: ${messageOf(error)}`);
      }
    },
    responseSerialize: (encoded: Buffer): Buffer => encoded,
  };
}

/** Delta ADS: what changed. */
export const deltaAds = { deltaAggregatedResources: adsMethod(deltaAggregatedResources) };

/** State-of-the-world ADS: what there is. */
export const sotwAds = { streamAggregatedResources: adsMethod(streamAggregatedResources) };

/** Keepalive of both sides, in ms: a peer that is gone without a word is noticed within half a minute. */
export const keepalive = { "grpc.keepalive_time_ms": 20_000, "grpc.keepalive_timeout_ms": 10_000 } as const;

/**
 * Options for the gRPC server that serves xDS. A request may be larger than gRPC's 4 MiB: a node that comes again names
 * in one message all that it holds of a type, about 100 bytes for each resource.
 */
export const serverOptions = { ...keepalive, "grpc.max_receive_message_length": 16 * 1024 * 1024 } as const;
