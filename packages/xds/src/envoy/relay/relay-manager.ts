import { create } from "@bufbuild/protobuf";
import { AccessLogSchema } from "@envoyproxy/xds-protos/envoy/config/accesslog/v3/accesslog_pb.js";
import {
  type Filter,
  FilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { StdoutAccessLogSchema } from "@envoyproxy/xds-protos/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { RouterSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManagerSchema,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { overAds } from "../config-source.ts";
import { httpFilters } from "../listener/http-filters.ts";
import { duration, typedConfig } from "../wire.ts";

/**
 * What is written of each request to Envoy's standard output, a line each, its fields separated by tabs: whose it is (the
 * address of `relayedPrefix`), status, microseconds from its head to the end of the answer, bytes of its body and of the
 * answer's, who answered ("-": Envoy itself), method, path with its query as it went on, and the route's name.
 */
const line = [
  "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%",
  "%RESPONSE_CODE%",
  "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
  "%BYTES_RECEIVED%",
  "%BYTES_SENT%",
  "%UPSTREAM_REMOTE_ADDRESS%",
  "%REQ(:METHOD)%",
  "%REQ(:PATH)%",
  "%ROUTE_NAME%",
].join("\t");

const accessLog = create(AccessLogSchema, {
  name: "envoy.access_loggers.stdout",
  configType: typedConfig(StdoutAccessLogSchema, {
    accessLogFormat: {
      case: "logFormat",
      value: {
        format: {
          case: "textFormatSource",
          value: { specifier: { case: "inlineString", value: `${line}\n` } },
        },
      },
    },
  }),
});

/** Says nothing of itself to either side. */
const router = typedConfig(RouterSchema, { suppressEnvoyHeaders: true });

/** The filter that answers requests by the routes of this name, and adds to them as little as Envoy can. */
export function relayManager(routeName: string, protocol: ApplicationProtocol): Filter {
  const filters = httpFilters(protocol === ApplicationProtocol.GRPC_WEB, []);
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: typedConfig(HttpConnectionManagerSchema, {
      statPrefix: "relay",
      routeSpecifier: { case: "rds", value: { routeConfigName: routeName, configSource: overAds } },
      httpFilters: filters.map((filter) =>
        filter.name === "envoy.filters.http.router" ? { ...filter, configType: router } : filter,
      ),
      normalizePath: true,
      generateRequestId: false,
      serverHeaderTransformation: ServerHeader.PASS_THROUGH,
      skipXffAppend: true,
      streamIdleTimeout: duration(0),
      // Callers close their connections, not the relay.
      commonHttpProtocolOptions: { idleTimeout: duration(0) },
      httpProtocolOptions: { acceptHttp10: true, defaultHostForHttp10: "relay", allowAbsoluteUrl: true },
      maxRequestHeadersKb: 64,
      upgradeConfigs: [{ upgradeType: "websocket" }],
      accessLog: [accessLog],
    }),
  });
}
