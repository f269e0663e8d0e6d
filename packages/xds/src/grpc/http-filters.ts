import { create } from "@bufbuild/protobuf";
import { HTTPFaultSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { RouterSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpFilterSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { httpFilterNames } from "../envoy/listener/http-filters.ts";
import { typedConfig } from "../envoy/wire.ts";

const router = create(HttpFilterSchema, {
  name: "envoy.filters.http.router",
  configType: typedConfig(RouterSchema),
});

/** What calls pass through in a client, the router last: gRPC refuses a listener with any filter it does not know. */
export const clientFilters = [
  create(HttpFilterSchema, { name: httpFilterNames.fault, configType: typedConfig(HTTPFaultSchema) }),
  router,
];

/** What calls pass through in a server. */
export const serverFilters = [router];
