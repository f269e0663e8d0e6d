import { access, rename } from "node:fs/promises";
import { BpfMap, unpin } from "bpf-maps-native";

/** Where a map with this name is pinned, as PinFolder.map has it. */
export type PinPath = (name: string) => string;

/**
 * The maps behind maps of maps, each with a pin of its own: the kernel opens a map by the id that stands in an outer map
 * only for CAP_SYS_ADMIN, by a path for everybody who may read it.
 */
export class InnerMaps {
  private readonly path: PinPath;
  /** Ids of the maps that are known to be pinned, by name. */
  private readonly kept = new Map<string, number>();

  constructor(path: PinPath) {
    this.path = path;
  }

  /** The map pinned under a name, or undefined. */
  async open(name: string): Promise<BpfMap | undefined> {
    const path = this.path(name);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) return undefined;
    const map = BpfMap.openPinned(path);
    this.kept.set(name, map.info.id);
    return map;
  }

  /** Pins a map in place of the one that had the name; at every moment one of the two is there. */
  async keep(name: string, map: BpfMap): Promise<void> {
    if (this.kept.get(name) === map.info.id) return;
    const beside = this.path(`${name}_new`);
    unpin(beside);
    map.pin(beside);
    await rename(beside, this.path(name));
    this.kept.set(name, map.info.id);
  }
}
