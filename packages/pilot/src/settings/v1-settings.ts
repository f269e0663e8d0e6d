import type { Age } from "@keelson/xds/v1";
import type { Errors, SettingsInput } from "./settings-input.ts";

/** How the v1 REST API is served. */
export interface V1Settings {
  /** Whose answers are given; undefined: none. */
  readonly age: Age | undefined;
  readonly caching: boolean;
}

/** @param errors what is wrong with the values is added to it */
export function v1Settings({ flags }: SettingsInput, errors: Errors): V1Settings {
  const age = flags["v1-discovery"];
  const caching = flags.discovery_cache;
  if (age === "0.2" || age === "0.7") return { age, caching };
  if (age !== "off") errors.push(`--v1-discovery: "${age}" is none of 0.2, 0.7 and off`);
  return { age: undefined, caching };
}
