import type { EdgeMessage } from "./messages.ts";
import type { CountedEdge } from "./process/counter-book.ts";
import type { RelayEdge } from "./relay.ts";

/** What was counted, as it travels. */
export const messageOf = ({ latency, ...counts }: CountedEdge): EdgeMessage => ({
  ...counts,
  latency: [...latency].flatMap((requests, bucket) => (requests === 0 ? [] : [bucket, requests])),
});

/** What has travelled, as an agent adds it to what programs count. */
export function edgeOf(message: EdgeMessage): RelayEdge {
  const { statusClass, requests, bytesSent, bytesReceived, latencySumUs, ...edge } = message;
  return {
    ...edge,
    statusClass: statusClass as RelayEdge["statusClass"],
    requests: BigInt(requests),
    bytesSent: BigInt(bytesSent),
    bytesReceived: BigInt(bytesReceived),
    latencySumUs: BigInt(Math.round(latencySumUs)),
  };
}
