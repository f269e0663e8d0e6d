import { create } from "@bufbuild/protobuf";
import {
  type FilterStateValueSchema,
  FilterStateValue_SharedWithUpstream as SharedWithUpstream,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js";
import { ConfigSchema as HttpConfigSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { type Init, typedConfig } from "../wire.ts";

type FilterStateValue = Init<typeof FilterStateValueSchema>;

const localAddress = "envoy.filters.listener.original_dst.local_ip";
const remoteAddress = "envoy.filters.listener.original_dst.remote_ip";

/** @param text in the language of access logs */
const state = (objectKey: string, text: string, isText: boolean): FilterStateValue => ({
  key: { case: "objectKey", value: objectKey },
  ...(isText && { factoryKey: "envoy.string" }),
  value: {
    case: "formatString",
    value: {
      format: { case: "textFormatSource", value: { specifier: { case: "inlineString", value: text } } },
    },
  },
  sharedWithUpstream: SharedWithUpstream.ONCE,
});

/** Tells what follows inside the proxy who began a tunnel, and where it leads. */
export const connectAuthority: HttpFilter = create(HttpFilterSchema, {
  name: "connect_authority",
  configType: typedConfig(HttpConfigSchema, {
    onRequestHeaders: [
      state(localAddress, "%REQ(:AUTHORITY)%", false),
      state("io.istio.connect_authority", "%REQ(:AUTHORITY)%", true),
      state(remoteAddress, "%DOWNSTREAM_REMOTE_ADDRESS%", false),
      state("io.istio.peer_principal", "%DOWNSTREAM_PEER_URI_SAN%", true),
      state("io.istio.local_principal", "%DOWNSTREAM_LOCAL_URI_SAN%", true),
    ],
  }),
});
