import type { LocalityBalancing, OutlierDetection } from "@keelson/protos/traffic-policy";
import type { ProxyTraits } from "../traits.ts";

/** "region/zone/subzone", later parts may be missing. */
export type Locality = string;

/** How a caller ranks or weighs the localities of a host's endpoints. */
export type LocalityPlan =
  | { readonly kind: "weights"; readonly shares: readonly (readonly [pattern: string, percent: number])[] }
  | {
      readonly kind: "priorities";
      readonly own: Locality;
      /** Region → the region to use next; empty: any. */
      readonly failover: Readonly<Record<string, string>>;
      /** Labels in the order in which they must agree: [key, the caller's value]. Empty: by region, zone, sub-zone. */
      readonly labels: readonly (readonly [key: string, value: string])[];
    };

const formatLocality = ({ region, zone, subZone }: ProxyTraits["locality"]): Locality =>
  [region, zone, subZone].join("/").replace(/\/+$/, "");

/** Whether a locality is what "region/zone/*" stands for. */
export function matchesLocality(locality: Locality, pattern: string): boolean {
  const parts = locality.split("/");
  return pattern.split("/").every((wanted, i) => wanted === "*" || wanted === (parts[i] ?? ""));
}

/**
 * Undefined where endpoints count alike, wherever they are: no rule says otherwise, or the caller's place is unknown.
 * Failover needs outlier detection, since without it nobody notices that a locality is down.
 */
export function localityPlan(
  balancing: LocalityBalancing | undefined,
  ejection: OutlierDetection | undefined,
  caller: ProxyTraits,
): LocalityPlan | undefined {
  if (balancing?.enabled === false) return undefined;
  const own = formatLocality(caller.locality);
  const distribute = balancing?.distribute.find(({ from }) => own !== "" && matchesLocality(own, from));
  if (distribute !== undefined) {
    const shares = Object.entries(distribute.to).sort(([a], [b]) => (a < b ? -1 : 1));
    return { kind: "weights", shares };
  }
  if (ejection === undefined || (balancing?.distribute.length ?? 0) > 0) return undefined;
  const labels = (balancing?.failoverPriority ?? []).map((entry): [string, string] => {
    const [key = "", value] = entry.split("=");
    return [key, value ?? labelOf(key, caller.labels, own)];
  });
  if (own === "" && labels.length === 0) return undefined;
  const failover = Object.fromEntries((balancing?.failover ?? []).map(({ from, to }) => [from, to]));
  return { kind: "priorities", own, failover, labels };
}

const localityLabels: Readonly<Record<string, number>> = {
  "topology.kubernetes.io/region": 0,
  "topology.kubernetes.io/zone": 1,
  "topology.istio.io/subzone": 2,
};

/** A label of a workload; those that name its place are read from there. */
function labelOf(key: string, labels: Readonly<Record<string, string>>, locality: Locality): string {
  const part = localityLabels[key];
  return labels[key] ?? (part === undefined ? "" : (locality.split("/")[part] ?? ""));
}

/** Lower is better; not yet without gaps. */
export function rank(
  plan: Extract<LocalityPlan, { kind: "priorities" }>,
  locality: Locality,
  labels: Readonly<Record<string, string>>,
): number {
  const differs = plan.labels.findIndex(([key, value]) => labelOf(key, labels, locality) !== value);
  const byLabels = differs === -1 ? 0 : plan.labels.length - differs;
  const regionsSay = plan.labels.length === 0 || Object.keys(plan.failover).length > 0;
  return regionsSay ? byLabels * 5 + rankOfPlace(plan, locality) : byLabels;
}

function rankOfPlace(
  { own, failover }: { own: Locality; failover: Readonly<Record<string, string>> },
  locality: Locality,
): number {
  const [region = "", zone = "", subZone = ""] = locality.split("/");
  const [ownRegion = "", ownZone = "", ownSubZone = ""] = own.split("/");
  if (region === ownRegion) {
    if (zone !== ownZone) return 2;
    return subZone === ownSubZone ? 0 : 1;
  }
  const next = failover[ownRegion];
  return next === undefined || next === region ? 3 : 4;
}
