import { formatAddress } from "@keelson/model";
import type { RelayCaller } from "./relay-mesh.ts";

/** A cluster without endpoints: connections that nobody's rules take end there. */
export const nowhere = "nowhere";

/** Name of the routes of a port, for one caller or for anybody. */
export const relayRouteName = (service: bigint, caller: RelayCaller | undefined): string =>
  caller === undefined ? service.toString(16) : `${service.toString(16)}/${caller.identifier.toString(16)}`;

/**
 * What connections to a service port have for an original destination: an address whose first half is the service's identifier,
 * and the second one the caller's, both as they lie in the node's maps.
 */
export function relayedPrefix(
  service: bigint,
  caller: RelayCaller | undefined,
): { address: string; length: number } {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, service, true);
  view.setBigUint64(8, caller?.identifier ?? 0n, true);
  return { address: formatAddress(bytes), length: caller === undefined ? 64 : 128 };
}
