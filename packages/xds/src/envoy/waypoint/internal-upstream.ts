import type { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { InternalUpstreamTransportSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream_pb.js";
import { type Init, typedConfig } from "../wire.ts";
import { originalDestinationKey } from "./waypoint-names.ts";

type TransportSocket = Init<typeof TransportSocketSchema>;

const hostMetadata = { kind: { case: "host" as const, value: {} } };

/** Hands bytes to a listener inside the proxy. @param told what the endpoint's metadata says of the destination goes along */
export const internalUpstream = (inner: TransportSocket, told: boolean): TransportSocket => ({
  name: "envoy.transport_sockets.internal_upstream",
  configType: typedConfig(InternalUpstreamTransportSchema, {
    transportSocket: inner,
    passthroughMetadata: told
      ? [originalDestinationKey, "istio"].map((name) => ({ kind: hostMetadata, name }))
      : [],
  }),
});
