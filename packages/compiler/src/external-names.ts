import type { ExternalName as ModelExternalName } from "@keelson/model";
import type { ExternalName } from "@keelson/protos/policy";
import { externalNameMessage } from "./messages.ts";

const known = new WeakMap<ModelExternalName, ExternalName>();

function compiled(name: ModelExternalName): ExternalName {
  const message = known.get(name) ?? externalNameMessage(name);
  known.set(name, message);
  return message;
}

export const compileExternalNames = (
  names: ReadonlyMap<string, ModelExternalName>,
): ReadonlyMap<string, ExternalName> =>
  new Map([...names].map(([hostname, name]) => [hostname, compiled(name)]));
