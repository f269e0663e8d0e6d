import { create } from "@bufbuild/protobuf";
import { CorsSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { FilterConfigSchema as GrpcStatsSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { GrpcWebSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { RouterSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { typedConfig } from "../wire.ts";

/** Names under which routes give these filters their configuration. */
export const httpFilterNames = {
  fault: "envoy.filters.http.fault",
  cors: "envoy.filters.http.cors",
} as const;

const grpcWeb = create(HttpFilterSchema, {
  name: "envoy.filters.http.grpc_web",
  configType: typedConfig(GrpcWebSchema),
});

const common = [
  create(HttpFilterSchema, {
    name: "envoy.filters.http.grpc_stats",
    configType: typedConfig(GrpcStatsSchema, {
      emitFilterState: true,
      perMethodStatSpecifier: { case: "statsForAllMethods", value: { value: false } },
    }),
  }),
  create(HttpFilterSchema, { name: httpFilterNames.fault, configType: typedConfig(HTTPFaultSchema) }),
  create(HttpFilterSchema, { name: httpFilterNames.cors, configType: typedConfig(CorsSchema) }),
  create(HttpFilterSchema, { name: "envoy.filters.http.router", configType: typedConfig(RouterSchema) }),
];

/** What every request passes through, the router last. */
export const httpFilters = (speaksGrpcWeb: boolean): HttpFilter[] =>
  speaksGrpcWeb ? [grpcWeb, ...common] : common;
