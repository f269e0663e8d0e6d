import type { EndpointSliceObject } from "./kinds/index.ts";
import { serviceNameLabel } from "./metadata-read.ts";
import type { Changes } from "./objects.ts";

/** EndpointSlices by the service that they name, kept up to date. */
export class ServiceSlices {
  private readonly byService = new Map<string, readonly EndpointSliceObject[]>();

  /** Sorted by name: where two slices say different things of one endpoint, the first one counts. @param service "namespace/name" */
  of(service: string): readonly EndpointSliceObject[] {
    return this.byService.get(service) ?? none;
  }

  /** @returns services that have other slices now */
  update({ added, removed }: Changes<"EndpointSlice", "discovery.k8s.io">): ReadonlySet<string> {
    const touched = new Set<string>();
    const change = (
      slice: EndpointSliceObject,
      how: (own: readonly EndpointSliceObject[]) => readonly EndpointSliceObject[],
    ): void => {
      const name = slice.metadata.labels[serviceNameLabel];
      if (name === undefined) return;
      const service = `${slice.metadata.namespace}/${name}`;
      touched.add(service);
      const own = how(this.of(service));
      if (own.length === 0) this.byService.delete(service);
      else this.byService.set(service, own);
    };
    for (const slice of removed) change(slice, (own) => own.filter((other) => other !== slice));
    for (const slice of added)
      change(slice, (own) => [...own, slice].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)));
    return touched;
  }
}

const none: readonly never[] = [];
