import type { ServiceObject } from "../kinds/index.ts";
import { resolveHost, serviceHostname } from "./hosts.ts";

/**
 * Which services of type ExternalName are another name for a service: hostname of the service → its aliases, sorted. One
 * that leads out of the mesh is none, and no service either.
 */
export function aliasesByTarget(
  objects: readonly ServiceObject[],
  isService: (hostname: string) => boolean,
  domain: string,
): Map<string, string[]> {
  const targets = new Map(
    objects
      .filter(({ body }) => body.spec.type === "ExternalName")
      .map(({ metadata: { name, namespace }, body }) => [
        serviceHostname(name, namespace, domain),
        resolveHost(body.spec.externalName ?? "", namespace, domain),
      ]),
  );
  const found = new Map<string, string[]>();
  for (const alias of [...targets.keys()].sort()) {
    let target: string | undefined = alias;
    // An alias of an alias; whatever goes in circles leads to no service.
    for (let steps = 0; target !== undefined && steps <= targets.size; steps++) {
      if (isService(target)) break;
      target = targets.get(target);
    }
    if (target === undefined || target === alias || !isService(target)) continue;
    found.set(target, [...(found.get(target) ?? []), alias]);
  }
  return found;
}
