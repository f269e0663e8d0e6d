import { create } from "@bufbuild/protobuf";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManagerSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { MutualTls } from "@keelson/protos/proxy";
import { socketAddress } from "../envoy/addresses.ts";
import { typedConfig } from "../envoy/wire.ts";
import { serverFilters } from "./http-filters.ts";
import { serverSocket } from "./tls.ts";

/** gRPC servers cannot take both on one port. */
export type ServerMode = "plaintext" | "mtls";

/** The label by which a workload says that its callers may use mutual TLS. */
const tlsModeLabel = "security.istio.io/tlsMode";

/** What is permissive is as the label says, by which callers know whether to use mutual TLS (Istio). */
export function serverMode(policy: MutualTls, labels: Readonly<Record<string, string>>): ServerMode {
  if (policy === MutualTls.PERMISSIVE) return labels[tlsModeLabel] === "istio" ? "mtls" : "plaintext";
  return policy === MutualTls.STRICT ? "mtls" : "plaintext";
}

/**
 * The one filter chain of a gRPC server. Requests are answered, not forwarded; the routes stand in it, since servers on
 * some libraries do not ask for any (https://github.com/grpc/grpc-go/issues/4924). Listener filters and
 * use_original_dst would be refused.
 * @param name as the server asked for it
 */
export const serverListener = (name: string, address: string, port: number, mode: ServerMode): Listener =>
  create(ListenerSchema, {
    name,
    address: socketAddress(address, port),
    filterChains: [
      {
        name: `inbound-${mode}`,
        filters: [
          {
            // Without a hyphen, as Istio has it.
            name: `inbound-hcm${mode}`,
            configType: typedConfig(HttpConnectionManagerSchema, {
              httpFilters: serverFilters,
              routeSpecifier: {
                case: "routeConfig",
                value: {
                  name: "inbound",
                  virtualHosts: [
                    {
                      domains: ["*"],
                      routes: [
                        {
                          match: { pathSpecifier: { case: "prefix", value: "/" } },
                          action: { case: "nonForwardingAction", value: {} },
                        },
                      ],
                    },
                  ],
                },
              },
            }),
          },
        ],
        ...(mode === "mtls" && { transportSocket: serverSocket }),
      },
    ],
  });
