import { create } from "@bufbuild/protobuf";
import {
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { HttpInspectorSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { OriginalDstSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { OriginalSrcSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js";
import { TlsInspectorSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { typedConfig } from "../wire.ts";

/** Reads the server name and the protocols of a TLS handshake. Most fit into the first 512 bytes. */
export const tlsInspector: ListenerFilter = create(ListenerFilterSchema, {
  name: "envoy.filters.listener.tls_inspector",
  configType: typedConfig(TlsInspectorSchema, { initialReadBufferSize: 512 }),
});

/** Tells HTTP from other bytes. After the TLS inspector, whose finds it leaves alone. */
export const httpInspector: ListenerFilter = create(ListenerFilterSchema, {
  name: "envoy.filters.listener.http_inspector",
  configType: typedConfig(HttpInspectorSchema),
});

/** Where a redirected connection was meant to go. */
export const originalDestination: ListenerFilter = create(ListenerFilterSchema, {
  name: "envoy.filters.listener.original_dst",
  configType: typedConfig(OriginalDstSchema),
});

/** Packets to the workload keep the caller's address under TPROXY, with the mark that Istio's rules look for. */
export const originalSource: ListenerFilter = create(ListenerFilterSchema, {
  name: "envoy.filters.listener.original_src",
  configType: typedConfig(OriginalSrcSchema, { mark: 1337 }),
});

/** @param ports sorted, at least one. */
function anyPort(ports: readonly number[]): ListenerFilterChainMatchPredicate {
  const rules = ports.map((port) =>
    create(ListenerFilterChainMatchPredicateSchema, {
      rule: { case: "destinationPortRange", value: { start: port, end: port + 1 } },
    }),
  );
  const [first] = rules;
  if (first !== undefined && rules.length === 1) return first;
  return create(ListenerFilterChainMatchPredicateSchema, { rule: { case: "orMatch", value: { rules } } });
}

/** An inspector waits for bytes, which server-first protocols never send: it is left off where no chain needs it. */
export function exceptPorts(filter: ListenerFilter, ports: readonly number[]): ListenerFilter {
  if (ports.length === 0) return filter;
  return { ...filter, filterDisabled: anyPort(ports) };
}

export function onlyPorts(filter: ListenerFilter, ports: readonly number[]): ListenerFilter {
  const filterDisabled = create(ListenerFilterChainMatchPredicateSchema, {
    rule: { case: "notMatch", value: anyPort(ports) },
  });
  return { ...filter, filterDisabled };
}
