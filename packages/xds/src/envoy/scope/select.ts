import type { SidecarScope } from "@keelson/protos/proxy";
import { includesLabels } from "../hosts.ts";

const hasSelector = ({ workloadLabels }: SidecarScope): boolean => Object.keys(workloadLabels).length > 0;

/** Sidecar resources by namespace: which one counts for a workload. */
export class SidecarScopeIndex {
  private readonly byNamespace = new Map<string, SidecarScope[]>();
  private readonly rootNamespace: string;

  constructor(scopes: ReadonlyMap<string, SidecarScope>, rootNamespace: string) {
    this.rootNamespace = rootNamespace;
    for (const scope of scopes.values()) {
      const others = this.byNamespace.get(scope.namespace);
      if (others === undefined) this.byNamespace.set(scope.namespace, [scope]);
      else others.push(scope);
    }
  }

  /**
   * One with a selector for these labels, else the namespace's, else the root namespace's. Undefined: none, so that
   * everything is seen.
   */
  find(namespace: string, labels: Readonly<Record<string, string>>): SidecarScope | undefined {
    const own = this.byNamespace.get(namespace) ?? [];
    return (
      own.find((scope) => hasSelector(scope) && includesLabels(labels, scope.workloadLabels)) ??
      own.find((scope) => !hasSelector(scope)) ??
      this.byNamespace.get(this.rootNamespace)?.find((scope) => !hasSelector(scope))
    );
  }
}
