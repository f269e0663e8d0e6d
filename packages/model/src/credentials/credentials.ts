import { Derived } from "../derived.ts";
import type { ConfigMapObject, SecretObject } from "../kinds/index.ts";
import type { ObjectLists } from "../list-memo.ts";

/** Namespace → name → object; namespaces in which nothing changed are the same maps as before. */
export type ByNamespace<Found> = ReadonlyMap<string, ReadonlyMap<string, Found>>;

/**
 * Certificates and keys that proxies are served. They stand beside the model, not in it: nothing of them goes to the
 * compiler or a kernel node. Immutable; the same object as long as nothing changes.
 */
export interface Credentials {
  readonly secrets: ByNamespace<SecretObject>;
  readonly configMaps: ByNamespace<ConfigMapObject>;
}

export const noCredentials: Credentials = { secrets: new Map(), configMaps: new Map() };

/** Finds them among the objects of all sources. */
export class CredentialIndex {
  private readonly secrets = new Namespaces<SecretObject>();
  private readonly configMaps = new Namespaces<ConfigMapObject>();
  private current = noCredentials;

  build(objects: ObjectLists): Credentials {
    const secrets = this.secrets.of(objects.of("Secret", ""));
    const configMaps = this.configMaps.of(objects.of("ConfigMap", ""));
    if (secrets !== this.current.secrets || configMaps !== this.current.configMaps)
      this.current = { secrets, configMaps };
    return this.current;
  }
}

class Namespaces<Found extends SecretObject | ConfigMapObject> {
  private last: ByNamespace<Found> = new Map();
  private readonly derived = new Derived((objects: readonly Found[]): ByNamespace<Found> => {
    const groups = Map.groupBy(objects, ({ metadata }) => metadata.namespace);
    return new Map([...groups].map(([namespace, all]) => [namespace, this.named(namespace, all)]));
  });

  /** @param objects the same list as long as nothing changes */
  of(objects: readonly Found[]): ByNamespace<Found> {
    this.last = objects.length === 0 && this.last.size === 0 ? this.last : this.derived.of(objects);
    return this.last;
  }

  private named(namespace: string, all: readonly Found[]): ReadonlyMap<string, Found> {
    const before = this.last.get(namespace);
    const isSame = before?.size === all.length && all.every((one) => before.get(one.metadata.name) === one);
    return isSame ? before : new Map(all.map((one) => [one.metadata.name, one]));
  }
}
