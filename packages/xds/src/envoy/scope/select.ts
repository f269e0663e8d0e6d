import type { SidecarScope } from "@keelson/protos/proxy";
import { includesLabels } from "../hosts.ts";

/** The Sidecars of one namespace; those with a selector are found by one of its labels. */
interface NamespaceScopes {
  general: SidecarScope | undefined;
  readonly bySelector: Map<string, { readonly order: number; readonly scope: SidecarScope }[]>;
}

const labelKey = (key: string, value: string): string => `${key}=${value}`;

/** Sidecar resources by namespace: which one counts for a workload. */
export class SidecarScopeIndex {
  private readonly namespaces = new Map<string, NamespaceScopes>();
  private readonly rootNamespace: string;

  constructor(scopes: ReadonlyMap<string, SidecarScope>, rootNamespace: string) {
    this.rootNamespace = rootNamespace;
    for (const [order, scope] of [...scopes.values()].entries()) this.add(scope, order);
  }

  private add(scope: SidecarScope, order: number): void {
    const { namespace, workloadLabels } = scope;
    const scopes = this.namespaces.get(namespace) ?? { general: undefined, bySelector: new Map() };
    this.namespaces.set(namespace, scopes);
    const [first] = Object.entries(workloadLabels);
    if (first === undefined) {
      scopes.general ??= scope;
      return;
    }
    const key = labelKey(...first);
    const others = scopes.bySelector.get(key) ?? [];
    others.push({ order, scope });
    scopes.bySelector.set(key, others);
  }

  /**
   * One with a selector for these labels, else the namespace's, else the root namespace's. Undefined: none, so that
   * everything is seen.
   */
  find(namespace: string, labels: Readonly<Record<string, string>>): SidecarScope | undefined {
    const own = this.namespaces.get(namespace);
    const selecting = Object.entries(labels)
      .flatMap(([key, value]) => own?.bySelector.get(labelKey(key, value)) ?? [])
      .filter(({ scope }) => includesLabels(labels, scope.workloadLabels))
      .sort((a, b) => a.order - b.order);
    return selecting[0]?.scope ?? own?.general ?? this.namespaces.get(this.rootNamespace)?.general;
  }
}
