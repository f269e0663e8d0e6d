import type { ResourceSnapshot } from "@keelson/protos";

type Resources = ResourceSnapshot["resources"];

/** Numbers what the compiler makes: a new version only if some resource differs. */
export class Snapshots {
  private current: ResourceSnapshot | undefined;
  private readonly first: bigint;

  /**
   * @param first the first version. Taken from the clock by the caller, so that versions go on growing when the
   * program restarts.
   */
  constructor(first: bigint) {
    this.first = first;
  }

  get version(): bigint {
    return this.current?.version ?? 0n;
  }

  get resources(): Resources {
    return this.current?.resources ?? new Map();
  }

  /** @returns the new snapshot, or undefined if nothing differs from the current one. */
  next(resources: Resources): ResourceSnapshot | undefined {
    if (this.current !== undefined && sameResources(this.current.resources, resources)) return undefined;
    this.current = {
      version: this.current === undefined ? this.first : this.current.version + 1n,
      resources,
    };
    return this.current;
  }
}

function sameResources(a: Resources, b: Resources): boolean {
  if (a.size !== b.size) return false;
  for (const [typeUrl, these] of a) {
    const those = b.get(typeUrl);
    if (those === undefined || those.size !== these.size) return false;
    for (const [name, { version, node }] of these) {
      const other = those.get(name);
      if (other?.version !== version || other.node !== node) return false;
    }
  }
  return true;
}
