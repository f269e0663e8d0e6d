import type { Debounce } from "@keelson/xds";
import type { Errors, SettingsInput } from "./settings-input.ts";

/** How changes reach proxies; kernel nodes get each at once. */
export interface PushSettings {
  readonly debounce: Debounce;
  /** Whether changes of nothing but endpoints wait for a pause, too. */
  readonly endpointsWait: boolean;
  /** New streams a second; Infinity: no limit. */
  readonly streamsPerSecond: number;
  /** Streams that are pushed to before requests are looked at again; Infinity: as many as a slice of time has room for. */
  readonly pushesAtOnce: number;
}

/**
 * As istiod's; but new streams are not limited: as pushes leave room for requests, a crowd that comes at once is served
 * sooner than it would be by coming again. And a slice of pushes ends by time, not by their number, which in istiod
 * bounds how many run side by side: here they run one after the other, and every look at requests in between makes the
 * last proxies wait for the answers of the first.
 */
export const defaultPush: PushSettings = {
  debounce: { quietMs: 100, maxMs: 10_000 },
  endpointsWait: true,
  streamsPerSecond: Number.POSITIVE_INFINITY,
  pushesAtOnce: Number.POSITIVE_INFINITY,
};

const names = [
  "PILOT_DEBOUNCE_AFTER",
  "PILOT_DEBOUNCE_MAX",
  "PILOT_PUSH_THROTTLE",
  "PILOT_MAX_REQUESTS_PER_SECOND",
] as const;

/** @param errors what is wrong with the values is added to it */
export function pushSettings({ environment }: SettingsInput, errors: Errors): PushSettings {
  for (const name of names) {
    if (environment[name] < 0) errors.push(`${name}: ${environment[name]} is below zero`);
  }
  const { PILOT_PUSH_THROTTLE: atOnce, PILOT_MAX_REQUESTS_PER_SECOND: perSecond } = environment;
  return {
    debounce: { quietMs: environment.PILOT_DEBOUNCE_AFTER, maxMs: environment.PILOT_DEBOUNCE_MAX },
    endpointsWait: environment.PILOT_ENABLE_EDS_DEBOUNCE,
    streamsPerSecond: perSecond > 0 ? perSecond : defaultPush.streamsPerSecond,
    pushesAtOnce: atOnce > 0 ? atOnce : defaultPush.pushesAtOnce,
  };
}
