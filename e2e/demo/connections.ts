import type { Edge } from "@keelson/protos/telemetry";

/** Connections from one pod to another by way of a service, as the kernel counted them; requests where the node decides each. */
export interface Connections {
  /** Names of pods. */
  readonly from: string;
  readonly to: string;
  /** The service's short name. */
  readonly service: string;
  readonly count: number;
}

/** "default/reviews-v1" → "reviews-v1". */
const podName = (workload: string): string => workload.slice(workload.indexOf("/") + 1);

const keyOf = ({ from, to, service }: Connections): string => [from, to, service].join("\0");

/** Sums edges over address families and ports. Edges of callers or endpoints that are no pods are left out. */
export function connectionsOf(edges: readonly Edge[]): Connections[] {
  const sums = new Map<string, Connections>();
  for (const { source, workload, service, connections, requests } of edges) {
    if (source === "" || workload === "") continue;
    const one = {
      from: podName(source),
      to: podName(workload),
      service: service.split(".")[0] ?? service,
      count:
        Number(connections) + Object.values(requests).reduce((sum, answered) => sum + Number(answered), 0),
    };
    const key = keyOf(one);
    sums.set(key, { ...one, count: one.count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** What was added between two readings. Counters only grow, so every pair of the earlier one is in the later one. */
export function added(before: readonly Connections[], after: readonly Connections[]): Connections[] {
  const earlier = new Map(before.map((one) => [keyOf(one), one.count]));
  return after.map((one) => ({ ...one, count: one.count - (earlier.get(keyOf(one)) ?? 0) }));
}
