import type { Resource } from "@keelson/protos";
import type { Resources } from "./view.ts";

/** What a client must be told of one type. */
export interface Changes {
  /** Resources that are new or changed, or that the client asked for again. */
  readonly added: readonly Resource[];
  /** Names asked for that do not exist. */
  readonly missing: readonly string[];
  /** Names of resources that the client was told of and that are gone. */
  readonly gone: readonly string[];
}

/** Where a subscription finds what it wants. */
export interface Source {
  readonly resources: Resources;
  /** A resource that is asked for by name and that the list does not have. */
  lookup(name: string): Resource | undefined;
}

/** The part of a stream's first request of a type that says what is wanted and what is held already. */
export interface FirstRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Resource name → version that is held from an earlier stream. */
  readonly initialVersions: Readonly<Record<string, string>>;
}
