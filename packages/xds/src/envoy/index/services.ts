import type { Service } from "@keelson/protos/policy";

/** Finds services by name, namespace and who may see them. Immutable, made anew when any service changes. */
export class ServiceIndex {
  readonly all: readonly Service[];
  private readonly byHostname: ReadonlyMap<string, Service>;
  private readonly byAlias = new Map<string, Service>();
  private readonly byNamespace = new Map<string, Service[]>();
  private readonly someAreHidden: boolean;
  private readonly visible = new Map<string, readonly Service[]>();

  constructor(services: ReadonlyMap<string, Service>) {
    this.byHostname = services;
    this.all = [...services.values()];
    this.someAreHidden = this.all.some(({ exportedTo }) => exportedTo.length > 0);
    for (const service of this.all) {
      const sameNamespace = this.byNamespace.get(service.namespace);
      if (sameNamespace === undefined) this.byNamespace.set(service.namespace, [service]);
      else sameNamespace.push(service);
      for (const alias of service.aliases) this.byAlias.set(alias, service);
    }
  }

  /** By its hostname or by an alias. */
  get(hostname: string): Service | undefined {
    return this.byHostname.get(hostname) ?? this.byAlias.get(hostname);
  }

  inNamespace(namespace: string): readonly Service[] {
    return this.byNamespace.get(namespace) ?? [];
  }

  /** The same list for all namespaces as long as no service is hidden from any. */
  visibleTo(namespace: string): readonly Service[] {
    if (!this.someAreHidden) return this.all;
    const known = this.visible.get(namespace);
    if (known !== undefined) return known;
    const services = this.all.filter((service) => isExportedTo(service, namespace));
    this.visible.set(namespace, services);
    return services;
  }
}

/** Whether a namespace may see a service or a rule. Lists hold namespaces, "*" or nothing, which means all. */
export const isExportedTo = (thing: { readonly exportedTo: readonly string[] }, namespace: string): boolean =>
  thing.exportedTo.length === 0 || thing.exportedTo.includes(namespace) || thing.exportedTo.includes("*");
