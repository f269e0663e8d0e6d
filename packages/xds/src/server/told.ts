import type { Resource } from "@keelson/protos";

/** What a client was told of a resource, where the list it was brought to last says something else. */
export interface Told {
  /** Undefined: some version that it may or may not hold. */
  readonly version: string | undefined;
  /** Undefined: sent on an earlier stream. */
  readonly resource: Resource | undefined;
}

/** That there is none: a lookup may find one later. */
export const absent: Told = { version: undefined, resource: undefined };
