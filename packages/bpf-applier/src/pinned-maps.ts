import { access } from "node:fs/promises";
import { BpfMap, type BpfObject, unpin } from "bpf-maps-native";
import type { PinFolder } from "./pins.ts";

/** Loads an object onto the maps that are pinned under these names; those that are not pinned yet are afterwards. */
export async function loadOntoPins(
  object: BpfObject,
  pins: PinFolder,
  names: readonly string[],
): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    const path = pins.map(name);
    if (await exists(path)) {
      using map = BpfMap.openPinned(path);
      object.configureMap(name, { reuse: map });
    } else {
      missing.push(name);
    }
  }
  await object.load();
  for (const name of missing) {
    using map = object.map(name);
    map.pin(pins.map(name));
  }
}

/** Sockets in such maps leave them once no program is left that uses them. */
export async function unpinAll(pins: PinFolder, names: readonly string[]): Promise<void> {
  for (const name of names) if (await exists(pins.map(name))) unpin(pins.map(name));
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
