import { create } from "@bufbuild/protobuf";
import { type Address, AddressSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import { type Family, familyOf as familyOfAny, formatAddress as formatAny } from "@keelson/model";
import { unixPrefix } from "./names.ts";

const familyOf = (address: Uint8Array): Family => (address.length === 4 ? "IPv4" : familyOfAny(address));

/** As people write it. Nearly all are IPv4, of which there are very many. */
export const formatAddress = (address: Uint8Array): string =>
  address.length === 4 ? `${address[0]}.${address[1]}.${address[2]}.${address[3]}` : formatAny(address);

/** Which families a proxy speaks, its first address's first. Never empty. */
export type Families = readonly [Family, ...Family[]];

export function familiesOf(addresses: readonly Uint8Array[]): Families {
  const [first, ...others] = new Set(addresses.map(familyOf));
  return [first ?? "IPv4", ...others];
}

const wildcards = { IPv4: "0.0.0.0", IPv6: "::" } as const;
const loopbacks = { IPv4: "127.0.0.1", IPv6: "::1" } as const;
/** Sources that capture rules leave alone: connections of the proxy to its own workload. */
const passthroughSources = { IPv4: "127.0.0.6", IPv6: "::6" } as const;

export const wildcardsOf = (families: Families): string[] => families.map((family) => wildcards[family]);
export const loopbacksOf = (families: Families): string[] => families.map((family) => loopbacks[family]);
export const passthroughSourcesOf = (families: Families): string[] =>
  families.map((family) => passthroughSources[family]);

/** As text, those of the first family that has any first; addresses of a family that is not spoken are left out. */
export function spokenAddresses(addresses: readonly Uint8Array[], families: Families): string[] {
  if (addresses.length === 0) return [];
  return families.flatMap((family) =>
    addresses.filter((address) => familyOf(address) === family).map(formatAddress),
  );
}

/** @param host an IP address, a name, or a socket's path after "unix://". */
export function socketAddress(host: string, port: number): Address {
  return create(
    AddressSchema,
    host.startsWith(unixPrefix)
      ? { address: { case: "pipe", value: { path: host.slice(unixPrefix.length) } } }
      : {
          address: {
            case: "socketAddress",
            value: { address: host, portSpecifier: { case: "portValue", value: port } },
          },
        },
  );
}

/** A key under which equal addresses are found. */
export const addressKey = (address: Uint8Array): string => String.fromCharCode(...address);
