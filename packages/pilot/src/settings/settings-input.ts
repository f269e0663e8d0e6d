import type { discoveryEnvironment } from "./environment/environment.ts";
import type { discoveryFlags } from "./flags/flags.ts";
import type { Values } from "./values.ts";

/** The values of all flags and variables, before they are put together. */
export interface SettingsInput {
  readonly flags: Values<typeof discoveryFlags>;
  /** Names of the flags that were given. */
  readonly givenFlags: ReadonlySet<string>;
  readonly environment: Values<typeof discoveryEnvironment>;
  readonly givenEnvironment: ReadonlySet<string>;
}

/** What is wrong with the values, in words. */
export type Errors = string[];

/** @returns undefined if `make` throws; why is added to `errors`. */
export function attempt<T>(what: string, errors: Errors, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    errors.push(`${what}: ${(error as Error).message}`);
    return undefined;
  }
}
