import { create } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type Address,
  AddressSchema,
  SocketAddressSchema,
} from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import {
  type Filter,
  FilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { FilterStateValue_SharedWithUpstream as Shared } from "@envoyproxy/xds-protos/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js";
import { ConfigSchema as SetFilterStateSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js";
import { ApplicationProtocol } from "@keelson/protos/policy";
import {
  exceptPorts,
  httpInspector,
  originalDestination,
  tlsInspector,
} from "../listener/listener-filters.ts";
import { duration, typedConfig } from "../wire.ts";
import { bytesFilter, filterChainOf, type RelayChain } from "./relay-chains.ts";
import type { RelayedPort, RelayPlace } from "./relay-mesh.ts";
import { nowhere } from "./relay-names.ts";

/** How long a caller's first bytes are waited for where they decide: the server may be the one to begin. */
const firstBytesMs = 100;
/** `network_namespace_filepath`, which no published set of messages has yet (Envoy 1.34). */
const networkField = { no: 7, wireType: WireType.LengthDelimited };

function addressIn(path: string, address: string, port: number): Address {
  const socketAddress = create(SocketAddressSchema, {
    address,
    portSpecifier: { case: "portValue", value: port },
  });
  socketAddress.$unknown = [{ ...networkField, data: new BinaryWriter().string(path).finish() }];
  return create(AddressSchema, { address: { case: "socketAddress", value: socketAddress } });
}

/** Says for all that comes of a connection in which network namespace it is to be opened; pools are by that, too. */
const inNetwork = (path: string): Filter =>
  create(FilterSchema, {
    name: "envoy.filters.network.set_filter_state",
    configType: typedConfig(SetFilterStateSchema, {
      onNewConnection: [
        {
          key: { case: "objectKey", value: "envoy.network.upstream_bind_override.network_namespace" },
          factoryKey: "envoy.hashable_string",
          value: {
            case: "formatString",
            value: {
              format: {
                case: "textFormatSource",
                value: { specifier: { case: "inlineString", value: path.replaceAll("%", "%%") } },
              },
            },
          },
          sharedWithUpstream: Shared.ONCE,
        },
      ],
    }),
  });

/** Ports where the server may speak first; inspectors, which wait for the caller, are off there. */
const serverFirstPorts = (services: Iterable<RelayedPort>): number[] =>
  [
    ...new Set(
      [...services]
        .map(({ port }) => port)
        .filter(({ applicationProtocol: protocol }) => serverMayBegin.has(protocol))
        .map(({ port }) => port),
    ),
  ].sort((a, b) => a - b);

const serverMayBegin: ReadonlySet<ApplicationProtocol> = new Set([
  ApplicationProtocol.TCP,
  ApplicationProtocol.MONGO,
  ApplicationProtocol.MYSQL,
  ApplicationProtocol.REDIS,
]);

const relayListenerName = (cookie: bigint): string => `relay ${cookie}`;

/** Where Envoy listens in one network namespace, for all services. */
export function relayListener(
  { cookie, path, port4, port6 }: RelayPlace,
  chains: readonly RelayChain[],
  services: Iterable<RelayedPort>,
): Listener {
  const addresses = [
    ...(port4 === 0 ? [] : [addressIn(path, "127.0.0.1", port4)]),
    ...(port6 === 0 ? [] : [addressIn(path, "::1", port6)]),
  ];
  const [address, ...others] = addresses;
  if (address === undefined) throw new Error(`relay: no port to listen on in the network ${path}`);
  const before = inNetwork(path);
  const toNowhere = bytesFilter([{ name: nowhere, weight: 1 }]);
  const waitsNot = serverFirstPorts(services);
  return create(ListenerSchema, {
    name: relayListenerName(cookie),
    address,
    additionalAddresses: others.map((additional) => ({ address: additional })),
    listenerFilters: [
      originalDestination,
      exceptPorts(tlsInspector, waitsNot),
      exceptPorts(httpInspector, waitsNot),
    ],
    listenerFiltersTimeout: duration(firstBytesMs),
    continueOnListenerFiltersTimeout: true,
    filterChains: chains.map((chain) => filterChainOf(chain, before)),
    // A listener must have one, and there may be no services yet.
    defaultFilterChain: { name: nowhere, filters: toNowhere === undefined ? [] : [toNowhere] },
    statPrefix: "relay",
  });
}
