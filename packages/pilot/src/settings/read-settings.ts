import { type DiscoverySettings, discoverySettings } from "./discovery-settings.ts";
import { discoveryEnvironment } from "./environment/environment.ts";
import { discoveryFlags } from "./flags/flags.ts";
import { parseFlags, unknownFlagText } from "./parse-flags.ts";
import type { SettingTable } from "./setting.ts";
import type { SettingsInput } from "./settings-input.ts";
import { flagValues, readEnvironment, type Values } from "./values.ts";

export interface ReadSettings {
  readonly settings: DiscoverySettings;
  readonly flags: Values<typeof discoveryFlags>;
  /** The program cannot go on with these. */
  readonly errors: readonly string[];
  /** To be logged once. */
  readonly warnings: readonly string[];
  /** Settings that are given and change nothing, as they are written; to be logged once. */
  readonly withoutEffect: readonly string[];
}

/** Reads the arguments after `discovery`, and the environment. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): ReadSettings {
  const parsed = parseFlags(args, discoveryFlags);
  const variables = readEnvironment(discoveryEnvironment, environment);
  const input: SettingsInput = {
    flags: flagValues(discoveryFlags, parsed.values, variables.values),
    givenFlags: new Set(parsed.values.keys()),
    environment: variables.values,
    givenEnvironment: variables.given,
  };
  const errors = [...parsed.errors, ...parsed.positionals.map(({ text }) => unexpectedArgument(text))];
  const settings = discoverySettings(input, errors);
  const unknown = parsed.unknown.map((flag) => unknownFlagText(flag, discoveryFlags));
  const strict = input.flags["strict-flags"];
  return {
    settings,
    flags: input.flags,
    errors: strict ? [...unknown, ...errors] : errors,
    warnings: strict
      ? variables.problems
      : [...unknown.map((text) => `${text}; ignored`), ...variables.problems],
    withoutEffect: [
      ...withoutEffect(input.givenFlags, discoveryFlags).map((name) => `--${name}`),
      ...withoutEffect(input.givenEnvironment, discoveryEnvironment),
      ...settings.unknownLogScopes.map((scope) => `--log_output_level=${scope}:…`),
      ...unknownVariables(environment),
    ],
  };
}

const unexpectedArgument = (text: string): string =>
  /^(?:true|false)$/.test(text)
    ? `unexpected argument "${text}"; a switch is turned off by --name=false`
    : `unexpected argument "${text}"; discovery takes flags only`;

const withoutEffect = (given: Iterable<string>, table: SettingTable): string[] =>
  [...given].filter((name) => table[name]?.status === "accepted").sort();

/** istiod has more variables than the table; by their prefix they are known. Those of Kubernetes about a Service are not meant. */
const unknownVariables = (environment: NodeJS.ProcessEnv): string[] =>
  Object.keys(environment)
    .filter((name) => /^PILOT_(?!SERVICE_|PORT)/.test(name) && !Object.hasOwn(discoveryEnvironment, name))
    .sort();
