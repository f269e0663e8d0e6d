import type { PortRoute } from "@keelson/protos/policy";
import { happens } from "./chance.ts";
import { withHost } from "./header-changes.ts";
import { destinationRef } from "./route-destinations.ts";
import type { DestinationRef, RequestToSend } from "./types.ts";

export interface Mirror {
  readonly percent: number;
  readonly ref: DestinationRef;
}

export const mirrorsOf = ({ route, mirrors }: PortRoute): Mirror[] =>
  mirrors.map((destination, index) => {
    const named = route?.mirrors[index];
    return { percent: named?.percent ?? 0, ref: destinationRef(destination, named?.destination) };
  });

/** Drawn for each mirror on its own. */
export const drawnMirrors = (mirrors: readonly Mirror[], random: () => number): readonly Mirror[] =>
  mirrors.length === 0 ? mirrors : mirrors.filter(({ percent }) => happens(percent, random));

/** "reviews:9080" → "reviews-shadow:9080", by which a server tells copies from requests (Envoy). */
export function mirrored(request: RequestToSend): RequestToSend {
  const port = /:\d+$/.exec(request.authority)?.[0] ?? "";
  const authority = `${request.authority.slice(0, request.authority.length - port.length)}-shadow${port}`;
  return { ...request, authority, rawHeaders: withHost(request.rawHeaders, authority) };
}
