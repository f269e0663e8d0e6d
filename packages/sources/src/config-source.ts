import type { KnownObject, Problem } from "@keelson/model";

/** What a source holds at one moment. Immutable; objects that did not change stay the same objects. */
export interface SourceSnapshot {
  readonly objects: readonly KnownObject[];
  /** What could not be read, or has no effect. */
  readonly problems: readonly Problem[];
}

/** How a source is doing: by part, in words. */
export interface SourceHealth {
  /** What has not been read yet, and why. */
  readonly waiting: Readonly<Record<string, string>>;
  /** What cannot be followed just now, and why; what was read of it stays. */
  readonly failing: Readonly<Record<string, string>>;
}

/** How often something happened to the objects of a kind. */
export interface SourceEvents {
  readonly role: "registry" | "rules";
  readonly kind: string;
  /** "updatesame": nothing of what is read has changed. */
  readonly event: "add" | "update" | "updatesame" | "delete";
  readonly count: number;
}

/** Where resources come from. */
export interface ConfigSource {
  /**
   * Reads everything once, then goes on watching.
   * @throws Error if there is nothing to read from at all.
   */
  start(): Promise<void>;
  readonly snapshot: SourceSnapshot;
  readonly health: SourceHealth;
  /** What an API told since the start. */
  readonly events: readonly SourceEvents[];
  /** Told after each change of `snapshot`, the first included. */
  onChange(listener: (snapshot: SourceSnapshot) => void): void;
  close(): Promise<void>;
}
