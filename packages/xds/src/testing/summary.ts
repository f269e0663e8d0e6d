import type { DeltaDiscoveryResponse } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";

/** What a response says, for comparing: names and bodies that came, names that went. */
export function summary(response: DeltaDiscoveryResponse): {
  type: string;
  added: string[];
  removed: string[];
} {
  return {
    type: response.typeUrl,
    added: response.resources.map(({ name, resource }) => {
      const body = Buffer.from(resource?.value ?? []).toString();
      return body === name ? name : `${name}=${body}`;
    }),
    removed: [...response.removedResources],
  };
}
