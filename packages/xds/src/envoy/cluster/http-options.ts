import type { Any } from "@bufbuild/protobuf/wkt";
import { HttpProtocolOptionsSchema } from "@envoyproxy/xds-protos/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { type ConnectionPool, ConnectionPool_H2Upgrade as H2Upgrade } from "@keelson/protos/traffic-policy";
import { durationUnlessZero, type Init, pack } from "../wire.ts";

export const httpOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** How a cluster speaks HTTP: always 1.1, always 2, or as the request came in. */
export type HttpVersion = "http1" | "http2" | "downstream";

const http2Protocols = new Set([
  ApplicationProtocol.HTTP2,
  ApplicationProtocol.GRPC,
  ApplicationProtocol.GRPC_WEB,
]);

/** @param sniffed the proxy finds out by itself what is spoken on ports that do not say. */
export function httpVersion(
  protocol: ApplicationProtocol,
  pool: ConnectionPool | undefined,
  sniffed: boolean,
): HttpVersion {
  if (pool?.useClientProtocol === true) return "downstream";
  if (http2Protocols.has(protocol) || pool?.h2Upgrade === H2Upgrade.UPGRADE) return "http2";
  return protocol === ApplicationProtocol.UNSPECIFIED && sniffed ? "downstream" : "http1";
}

type Options = Init<typeof HttpProtocolOptionsSchema>;

const versionOptions: Record<HttpVersion, NonNullable<Options["upstreamProtocolOptions"]>> = {
  http1: {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "httpProtocolOptions", value: {} } },
  },
  http2: {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
  },
  downstream: {
    case: "useDownstreamProtocolConfig",
    value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
  },
};

function http2With(maxConcurrentStreams: number): NonNullable<Options["upstreamProtocolOptions"]> {
  return {
    case: "explicitHttpConfig",
    value: { protocolConfig: { case: "http2ProtocolOptions", value: { maxConcurrentStreams } } },
  };
}

/** How certificates are asked for and checked by the request's host. */
export interface AutomaticNames {
  readonly autoSni: boolean;
  readonly autoSanValidation: boolean;
}

/** @returns the value for `typed_extension_protocol_options`, empty where Envoy's defaults are what is wanted. */
export function httpOptions(
  version: HttpVersion,
  pool?: ConnectionPool,
  names?: AutomaticNames,
): Record<string, Any> {
  const idleTimeout = durationUnlessZero(pool?.httpIdleTimeoutMs || pool?.tcpIdleTimeoutMs || 0n);
  const maxConnectionDuration = durationUnlessZero(pool?.maxConnectionDurationMs ?? 0n);
  const maxRequestsPerConnection = pool?.maxRequestsPerConnection ?? 0;
  const limited = idleTimeout ?? maxConnectionDuration ?? (maxRequestsPerConnection || undefined);
  const streams = pool?.maxConcurrentStreams ?? 0;
  if (version === "http1" && limited === undefined && names === undefined) return {};
  const options: Options = {
    upstreamProtocolOptions:
      version === "http2" && streams > 0 ? http2With(streams) : versionOptions[version],
    ...(limited !== undefined && {
      commonHttpProtocolOptions: {
        ...(idleTimeout && { idleTimeout }),
        ...(maxConnectionDuration && { maxConnectionDuration }),
        ...(maxRequestsPerConnection > 0 && { maxRequestsPerConnection }),
      },
    }),
    ...(names && { upstreamHttpProtocolOptions: { ...names } }),
  };
  return { [httpOptionsKey]: pack(HttpProtocolOptionsSchema, options) };
}
