import { createRegistry, type DescFile, type Registry } from "@bufbuild/protobuf";
import { file_envoy_config_cluster_v3_cluster as cluster } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { file_envoy_config_endpoint_v3_endpoint as endpoint } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { file_envoy_config_listener_v3_listener as listener } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { file_envoy_config_route_v3_route as route } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import { file_envoy_extensions_access_loggers_file_v3_file as fileLog } from "@envoyproxy/xds-protos/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { file_envoy_extensions_access_loggers_stream_v3_stream as streamLog } from "@envoyproxy/xds-protos/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { file_envoy_extensions_filters_common_set_filter_state_v3_value as filterState } from "@envoyproxy/xds-protos/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js";
import { file_envoy_extensions_filters_http_cors_v3_cors as cors } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { file_envoy_extensions_filters_http_fault_v3_fault as fault } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { file_envoy_extensions_filters_http_grpc_stats_v3_config as grpcStats } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { file_envoy_extensions_filters_http_grpc_web_v3_grpc_web as grpcWeb } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { file_envoy_extensions_filters_http_router_v3_router as router } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/router/v3/router_pb.js";
import { file_envoy_extensions_filters_http_set_filter_state_v3_set_filter_state as httpFilterState } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js";
import { file_envoy_extensions_filters_http_wasm_v3_wasm as wasmFilter } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { file_envoy_extensions_filters_listener_http_inspector_v3_http_inspector as httpInspector } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { file_envoy_extensions_filters_listener_original_dst_v3_original_dst as originalDst } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { file_envoy_extensions_filters_listener_original_src_v3_original_src as originalSrc } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector as tlsInspector } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager as httpManager } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { file_envoy_extensions_filters_network_set_filter_state_v3_set_filter_state as networkFilterState } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js";
import { file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy as tcpProxy } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { file_envoy_extensions_retry_host_previous_hosts_v3_previous_hosts as previousHosts } from "@envoyproxy/xds-protos/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { file_envoy_extensions_retry_priority_previous_priorities_v3_previous_priorities_config as previousPriorities } from "@envoyproxy/xds-protos/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import { file_envoy_extensions_transport_sockets_internal_upstream_v3_internal_upstream as internalUpstream } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream_pb.js";
import { file_envoy_extensions_transport_sockets_proxy_protocol_v3_upstream_proxy_protocol as proxyProtocol } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { file_envoy_extensions_transport_sockets_raw_buffer_v3_raw_buffer as rawBuffer } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import { file_envoy_extensions_transport_sockets_tls_v3_secret as secret } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { file_envoy_extensions_transport_sockets_tls_v3_tls as tls } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { file_envoy_extensions_upstreams_http_v3_http_protocol_options as httpOptions } from "@envoyproxy/xds-protos/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { file_envoy_extensions_wasm_v3_wasm as wasm } from "@envoyproxy/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";

const files: DescFile[] = [
  cluster,
  endpoint,
  listener,
  route,
  fileLog,
  streamLog,
  cors,
  fault,
  grpcStats,
  grpcWeb,
  router,
  httpInspector,
  originalDst,
  originalSrc,
  tlsInspector,
  httpManager,
  tcpProxy,
  previousHosts,
  previousPriorities,
  proxyProtocol,
  rawBuffer,
  filterState,
  httpFilterState,
  networkFilterState,
  internalUpstream,
  secret,
  wasm,
  wasmFilter,
  tls,
  httpOptions,
];

/** Every message that Envoy's resources of ours are made of: what is not in it must not be in them. */
export const envoyRegistry: Registry = createRegistry(...files);
