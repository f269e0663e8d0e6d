import type { ServiceObject } from "./kinds/index.ts";
import type { ExternalName } from "./model.ts";
import { normaliseExternalName } from "./normalise/external-names.ts";
import type { Normalised } from "./normalise/normalised.ts";

/** Services that are other names for hosts, by hostname, in the order of the services. */
export function externalNamesIn(
  domain: string,
): (services: readonly ServiceObject[]) => Normalised<ReadonlyMap<string, ExternalName>> {
  /** Services are many and change one by one. */
  const known = new WeakMap<ServiceObject, Normalised<ExternalName | undefined>>();
  return (services) => {
    const made = services.map((service) => {
      const name = known.get(service) ?? normaliseExternalName(service, domain);
      known.set(service, name);
      return name;
    });
    const names = made.flatMap(({ value }) => value ?? []);
    return {
      value: new Map(names.map((name) => [name.hostname, name])),
      problems: made.flatMap(({ problems }) => problems),
    };
  };
}
