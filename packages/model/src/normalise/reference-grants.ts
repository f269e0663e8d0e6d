import type { ReferenceGrantObject } from "../kinds/index.ts";

interface Kind {
  /** Empty for Kubernetes' core. */
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** Who refers, and to what. */
export interface Reference {
  readonly from: Kind;
  readonly to: Kind & { readonly name: string };
}

/** What may be named across namespaces. */
export class ReferenceGrants {
  /** By the namespace that is referred to. */
  private readonly grants: ReadonlyMap<string, readonly ReferenceGrantObject[]>;

  constructor(objects: readonly ReferenceGrantObject[]) {
    this.grants = Map.groupBy(objects, ({ metadata }) => metadata.namespace);
  }

  /** A reference inside a namespace needs no grant. */
  allows({ from, to }: Reference): boolean {
    if (from.namespace === to.namespace) return true;
    const isFrom = (one: Kind): boolean =>
      one.group === from.group && one.kind === from.kind && one.namespace === from.namespace;
    const isTo = (one: Omit<Kind, "namespace"> & { readonly name?: string | undefined }): boolean =>
      one.group === to.group && one.kind === to.kind && (one.name === undefined || one.name === to.name);
    return (this.grants.get(to.namespace) ?? []).some(
      ({ body: { spec } }) => spec.from.some(isFrom) && spec.to.some(isTo),
    );
  }
}
