import { isIPv6 } from "node:net";
import { serviceNameLabel } from "@keelson/model";
import type { RawObject } from "./collection.ts";
import { type Fields, listOf } from "./fields.ts";

/**
 * A core/v1 Endpoints object, which has the name of its service, as EndpointSlices: one for each of its subsets, which
 * may have other ports, and for each family of addresses.
 */
export function slicesOfEndpoints(endpoints: RawObject): RawObject[] {
  const { metadata } = endpoints;
  return listOf(endpoints["subsets"]).flatMap((subset, i) => {
    const members = [
      ...listOf(subset["addresses"]).map((address) => endpointOf(address, true)),
      ...listOf(subset["notReadyAddresses"]).map((address) => endpointOf(address, false)),
    ];
    const byFamily = Map.groupBy(members, ({ addresses: [ip] }) => (isIPv6(String(ip)) ? "IPv6" : "IPv4"));
    return [...byFamily].map(([addressType, own]) => ({
      metadata: {
        ...metadata,
        name: `${metadata.name}-${i}-${addressType.toLowerCase()}`,
        labels: { [serviceNameLabel]: metadata.name },
      },
      addressType,
      endpoints: own,
      ports: listOf(subset["ports"]),
    }));
  });
}

const endpointOf = ({ ip, targetRef }: Fields, ready: boolean) => ({
  addresses: [ip],
  conditions: { ready },
  ...(targetRef === undefined ? {} : { targetRef }),
});
