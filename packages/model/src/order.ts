import { type ConfigObject, objectKey } from "./config-object.ts";
import type { DestinationRuleObject, RouteRuleObject } from "./kinds/index.ts";

// In which order objects of one kind count, each a comparison for sort().

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** As istiod: the older one first, then by name, then by namespace. Without a time, as in files: older than all. */
export function byAge({ metadata: a }: ConfigObject, { metadata: b }: ConfigObject): number {
  return (
    compare(a.creationTimestamp, b.creationTimestamp) ||
    compare(a.name, b.name) ||
    compare(a.namespace, b.namespace)
  );
}

const rank = ({ body }: DestinationRuleObject): number => (body.spec.workloadSelector === undefined ? 1 : 0);

/** As istiod: rules for some workloads only before the others, then by age. */
export const bySelectorAndAge = (a: DestinationRuleObject, b: DestinationRuleObject): number =>
  rank(a) - rank(b) || byAge(a, b);

/** As Pilot 0.2: by name. */
export const byKey = (a: ConfigObject, b: ConfigObject): number => compare(objectKey(a), objectKey(b));

/** As Pilot 0.2: the higher precedence first, then by name. */
export function byPrecedence(a: RouteRuleObject, b: RouteRuleObject): number {
  return b.body.spec.precedence - a.body.spec.precedence || byKey(a, b);
}
