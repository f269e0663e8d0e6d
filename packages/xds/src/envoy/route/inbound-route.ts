import { create } from "@bufbuild/protobuf";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { duration } from "../wire.ts";
import { inboundRetryPolicy } from "./retries.ts";

const grpcProtocols = new Set([Protocol.GRPC, Protocol.GRPC_WEB]);

export interface InboundRouteInputs {
  readonly cluster: string;
  readonly servicePort: number;
  /** Empty: no service is known. */
  readonly hostname: string;
  readonly protocol: Protocol;
}

/** All requests to the workload, without a time limit: the caller sets it. */
export function inboundRoutes(inputs: InboundRouteInputs): RouteConfiguration {
  const { cluster, servicePort, hostname, protocol } = inputs;
  return create(RouteConfigurationSchema, {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${servicePort}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            decorator: { operation: `${hostname}:${servicePort}/*` },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: cluster },
                timeout: duration(0),
                maxStreamDuration: { maxStreamDuration: duration(0), grpcTimeoutHeaderMax: duration(0) },
                // A stream of messages cannot be begun again.
                ...(!grpcProtocols.has(protocol) && { retryPolicy: inboundRetryPolicy }),
              },
            },
          },
        ],
      },
    ],
  });
}
