/** One named resource in its wire form. Immutable; encoded once if many get it. */
export interface Resource {
  readonly name: string;
  /** Derived from `body` alone: equal bytes, equal version. */
  readonly version: string;
  /** The serialised message that goes into `google.protobuf.Any.value`. */
  readonly body: Uint8Array;
  /** Type URL of the message, where that is not the one that it is asked for by. */
  readonly typeUrl?: string;
  /** Where set, only the node of this name gets the resource. */
  readonly node?: string;
}

/**
 * All resources of one moment. Immutable.
 * `version` only grows while a control plane runs; it is told to clients as `system_version_info`.
 */
export interface ResourceSnapshot {
  readonly version: bigint;
  /** Type URL → resource name → resource. */
  readonly resources: ReadonlyMap<string, ReadonlyMap<string, Resource>>;
}
