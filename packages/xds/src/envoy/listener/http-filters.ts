import { create } from "@bufbuild/protobuf";
import { CorsSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { FilterConfigSchema as GrpcStatsSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { GrpcWebSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { RouterSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/router/v3/router_pb.js";
import { WasmSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { Extension_Phase as Phase } from "@keelson/protos/proxy";
import { overAds } from "../config-source.ts";
import type { ExtensionUse } from "../extension/extension-index.ts";
import { typedConfig, typeUrlOf } from "../wire.ts";

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

/** Filters that a resource of their own tells what they are; listeners wait for it. */
const extensionFilter = ({ name }: ExtensionUse): HttpFilter =>
  create(HttpFilterSchema, {
    name,
    configType: {
      case: "configDiscovery",
      value: { configSource: overAds, typeUrls: [typeUrlOf(WasmSchema)] },
    },
  });

/** What every request passes through, the router last. @param extensions in the order of one phase */
export function httpFilters(speaksGrpcWeb: boolean, extensions: readonly ExtensionUse[]): HttpFilter[] {
  const own = [...(speaksGrpcWeb ? [grpcWeb] : []), ...common];
  if (extensions.length === 0) return own;
  const of = (phase: Phase): HttpFilter[] =>
    extensions.filter((extension) => extension.phase === phase).map(extensionFilter);
  return [
    ...of(Phase.AUTHN),
    ...of(Phase.AUTHZ),
    ...own.slice(0, -1),
    ...of(Phase.STATS),
    ...of(Phase.UNSPECIFIED),
    ...own.slice(-1),
  ];
}
