import type { Resource } from "@keelson/protos";

/** Everything that one proxy may get, at one moment. Immutable. */
export interface ProxyView {
  /**
   * All resources of a type, by name; empty for types that proxies do not get. The same object as before as long as none
   * of them changed, and resources that did not change are the same objects.
   */
  resources(typeUrl: string): ReadonlyMap<string, Resource>;
  /**
   * A resource that is asked for by name, also one that no list has: the routes of a listener that is just going away
   * are empty, not absent.
   */
  lookup(typeUrl: string, name: string): Resource | undefined;
}
