import type { SettingType } from "./value-types.ts";

/** A program that a setting comes from: Pilot 0.2.12, Pilot 0.7.1, today's istiod, or Keelson itself. */
export type Age = "0.2" | "0.7" | "istiod" | "keelson";

/** A flag or an environment variable. */
export interface Setting<Type extends SettingType = SettingType> {
  readonly type: Type;
  /** As one would write it. Where the ages differ, it is istiod's. */
  readonly default: string;
  readonly ages: readonly Age[];
  /** "accepted": it may be given and changes nothing, since what it is about does not exist here. */
  readonly status: "honoured" | "accepted";
  readonly meaning: string;
  /** The one letter of a flag that has one: n for -n beside --namespace. */
  readonly short?: string;
  /** Of a flag: the environment variable that its default is taken from, if that is set. */
  readonly defaultFrom?: string;
}

export type SettingTable = Readonly<Record<string, Setting>>;

/** More about a flag. */
type Details = Pick<Setting, "short" | "defaultFrom">;

const row =
  (status: Setting["status"]) =>
  <Type extends SettingType>(
    type: Type,
    initial: string,
    ages: readonly Age[],
    meaning: string,
    details: Details = {},
  ): Setting<Type> => ({ type, default: initial, ages, status, meaning, ...details });

/** A row of a table of settings: one that does what it says. */
export const honoured = row("honoured");

/** A row of a table of settings: one that may be given and changes nothing. */
export const accepted = row("accepted");

export const everyAge: readonly Age[] = ["0.2", "0.7", "istiod"];
export const oldAges: readonly Age[] = ["0.2", "0.7"];
export const newAges: readonly Age[] = ["0.7", "istiod"];
export const only02: readonly Age[] = ["0.2"];
export const only07: readonly Age[] = ["0.7"];
export const istiod: readonly Age[] = ["istiod"];
export const own: readonly Age[] = ["keelson"];
