import { create } from "@bufbuild/protobuf";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManagerSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Service } from "@keelson/protos/policy";
import { socketAddress, spokenAddresses, wildcardsOf } from "../envoy/addresses.ts";
import { overAds } from "../envoy/config-source.ts";
import { outboundClusterName } from "../envoy/names.ts";
import type { ProxyTraits } from "../envoy/traits.ts";
import { pack } from "../envoy/wire.ts";
import { clientFilters } from "./http-filters.ts";

export interface ClientListenerInputs {
  /** As the client asked for it. */
  readonly name: string;
  readonly service: Service;
  readonly port: number;
  readonly proxy: ProxyTraits;
}

/** What a client's channel to a service's port follows: where its routes are found. Nobody listens there. */
export function clientListener({ name, service, port, proxy }: ClientListenerInputs): Listener {
  const { families } = proxy;
  const [address = ""] = [...spokenAddresses(service.addresses, families), ...wildcardsOf(families)];
  return create(ListenerSchema, {
    name,
    address: socketAddress(address, port),
    apiListener: {
      apiListener: pack(HttpConnectionManagerSchema, {
        httpFilters: clientFilters,
        routeSpecifier: {
          case: "rds",
          value: {
            configSource: overAds,
            routeConfigName: outboundClusterName(port, "", service.hostname),
          },
        },
      }),
    },
  });
}
