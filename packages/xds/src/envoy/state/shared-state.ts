import type { MeshResources } from "./mesh-resources.ts";

/**
 * The resources that proxies of one kind share, through all snapshots. The endpoint sets that changed are noted when
 * they do, so that being up to date costs nothing where none did.
 */
export class SharedState {
  /** Number of the configuration that `current` is made from; endpoints aside. */
  private config = -1;
  private current: MeshResources | undefined;
  private readonly changed = new Set<string>();

  noteChange(endpointSet: string): void {
    this.changed.add(endpointSet);
  }

  /** The resources as they are, if they are those of the configuration and nothing was noted. */
  upToDate(config: number): MeshResources | undefined {
    return this.config === config && this.changed.size === 0 ? this.current : undefined;
  }

  /** @param make new resources, or the present ones if they are still right. */
  refresh(config: number, make: (present: MeshResources | undefined) => MeshResources): MeshResources {
    let { current } = this;
    if (current === undefined || this.config !== config) current = make(current);
    if (this.changed.size > 0) current = current.withEndpoints(this.changed);
    this.changed.clear();
    this.config = config;
    this.current = current;
    return current;
  }
}
