import type { DeltaDiscoveryResponse } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";

export interface DeltaUpdate {
  readonly typeUrl: string;
  /** system_version_info of the response. */
  readonly systemVersion: string;
  readonly added: readonly { readonly name: string; readonly version: string; readonly body: Uint8Array }[];
  readonly removed: readonly string[];
}

/**
 * What a response says.
 * @throws Error, if the protocol forbids such a response: a client must reject it. (Envoy's xDS protocol document,
 * "Duplicate Resource Names"; the comments of `DeltaDiscoveryResponse`.)
 */
export function updateOf(response: DeltaDiscoveryResponse): DeltaUpdate {
  const { typeUrl, systemVersionInfo, resources, removedResources } = response;
  const names = new Set<string>();
  const added = resources.map(({ name, version, resource }) => {
    if (names.has(name)) throw new Error(`the response holds "${name}" more than once`);
    names.add(name);
    if (resource === undefined) throw new Error(`"${name}" comes without its resource`);
    if (resource.typeUrl !== typeUrl) {
      throw new Error(`"${name}" is a ${resource.typeUrl} in a response of type ${typeUrl}`);
    }
    // A copy: the decoded value is a view of the whole response, and would keep that in memory.
    return { name, version, body: new Uint8Array(resource.value) };
  });
  return { typeUrl, systemVersion: systemVersionInfo, added, removed: removedResources };
}
