import type { Resource } from "@keelson/protos";

export type Resources = ReadonlyMap<string, Resource>;

/** Everything that one node may get, at one moment. Immutable. */
export interface View {
  /**
   * All resources of a type, by name. The same object as before if, and only if, nothing of the type has changed for the
   * node, what `lookup` finds included: then the type is not looked at. Resources that did not change should be the same
   * objects: they are encoded once.
   */
  resources(typeUrl: string): Resources;
  /** A resource that is asked for by name and that no list has. */
  lookup?(typeUrl: string, name: string): Resource | undefined;
}

export const noResources: Resources = new Map();
