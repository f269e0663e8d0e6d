import { differingKeys, isSameMap, type Model } from "@keelson/model";

/**
 * Which services are others, or have other endpoints.
 * @returns undefined if more than that differs: rules, which hosts there are, or their aliases
 */
export function changedServices(before: Model, after: Model): ReadonlySet<string> | undefined {
  const sameRules =
    before.mesh === after.mesh &&
    isSameMap(before.routes, after.routes) &&
    isSameMap(before.policies, after.policies) &&
    isSameMap(before.gateways, after.gateways);
  if (!sameRules) return undefined;
  const changed = differingKeys(before.services, after.services);
  for (const hostname of changed) {
    const [old, now] = [before.services.get(hostname), after.services.get(hostname)];
    if (old === undefined || now === undefined || old.aliases.join() !== now.aliases.join()) return undefined;
  }
  return new Set([...changed, ...differingKeys(before.endpoints, after.endpoints)]);
}
