import type { Problem } from "../config-object.ts";
import type { ServiceObject } from "../kinds/index.ts";
import type { ExternalName } from "../model.ts";
import { serviceHostname } from "./hosts.ts";
import type { Normalised } from "./normalised.ts";
import { portsOf } from "./services.ts";

/** @returns undefined for services that are no other name, and for those that do not say for what */
export function normaliseExternalName(
  object: ServiceObject,
  domain: string,
): Normalised<ExternalName | undefined> {
  const { type, externalName: target = "" } = object.body.spec;
  if (type !== "ExternalName" || target === "") return { value: undefined, problems: [] };
  const problems: Problem[] = [];
  const ports = portsOf(object, problems);
  const { name, namespace } = object.metadata;
  return {
    value: { hostname: serviceHostname(name, namespace, domain), namespace, target, ports },
    problems,
  };
}
