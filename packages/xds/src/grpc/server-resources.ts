import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import { formatAddress } from "../envoy/addresses.ts";
import type { InboundResources } from "../envoy/state/inbound-resources.ts";
import { noResources, resourceMap } from "../envoy/state/resource-maps.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import { resourceOf } from "../envoy/wire.ts";
import { parseServerName, serverListenerName } from "./listener-names.ts";
import { type ServerMode, serverListener } from "./server-listener.ts";

/**
 * Listeners of the servers of a workload. Those on its addresses stand in the list; servers on all addresses, or on
 * others, find theirs by name.
 * @param modes by port, of those on which services expect the workload to listen
 */
export function serverResources(
  addresses: readonly Uint8Array[],
  modes: ReadonlyMap<number, ServerMode>,
): InboundResources {
  const listener = (name: string, address: string, port: number): Resource | undefined => {
    const mode = modes.get(port);
    return mode && resourceOf(ListenerSchema, name, serverListener(name, address, port, mode));
  };
  const own = addresses
    .map(formatAddress)
    .flatMap((address) =>
      [...modes.keys()].flatMap((port) => listener(serverListenerName(address, port), address, port) ?? []),
    );
  const strays = new Map<string, Resource>();
  const stray = (typeUrl: string, name: string): Resource | undefined => {
    if (typeUrl !== envoyTypeUrls.listener) return undefined;
    const request = parseServerName(name);
    const found = strays.get(name) ?? (request && listener(name, request.address, request.port));
    if (found !== undefined) strays.set(name, found);
    return found;
  };
  return { clusters: noResources, listeners: resourceMap(own), stray };
}
