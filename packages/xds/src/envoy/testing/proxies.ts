import { create, type JsonObject } from "@bufbuild/protobuf";
import { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { type ProxyNode, parseProxyNode } from "../proxy-node.ts";

export interface ProxyInit {
  readonly id?: string;
  readonly metadata?: JsonObject;
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly subZone?: string };
}

/** The sidecar of the pod default/client, without an agent, unless told otherwise. */
export const aProxy = (init: ProxyInit = {}): ProxyNode =>
  parseProxyNode(
    create(NodeSchema, {
      id: init.id ?? "sidecar~10.244.0.2~client.default~default.svc.cluster.local",
      cluster: "client",
      metadata: init.metadata ?? {},
      ...(init.locality && { locality: init.locality }),
    }),
  );

/** As pilot-agent describes its Envoy. */
export const withAgent: JsonObject = { PROXY_CONFIG: {}, ISTIO_VERSION: "1.32.0" };
