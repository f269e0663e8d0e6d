import { MutualTls, type PeerAuthentication } from "@keelson/protos/proxy";

/** How a workload takes connections; no mode of them is unspecified. */
export interface MutualTlsSettings {
  readonly mode: MutualTls;
  /** Ports of the workload with a mode of their own, sorted. */
  readonly ports: ReadonlyMap<number, MutualTls>;
}

type Labels = Readonly<Record<string, string>>;

/**
 * Which mode holds for a workload, as istiod decides (istio/istio, pilot/pkg/security/authn): a policy for its labels
 * before its namespace's, and that before the root namespace's; of several in one place the first.
 */
export class PeerAuthentications {
  private readonly byNamespace = new Map<string, MutualTls>();
  private readonly selecting = new Map<string, PeerAuthentication[]>();
  private readonly root: MutualTls;
  private readonly settings = new Map<string, MutualTlsSettings>();

  /** @param policies the older one first */
  constructor(policies: Iterable<PeerAuthentication>, rootNamespace: string) {
    for (const policy of policies) {
      const { namespace, mode } = policy;
      if (Object.keys(policy.workloadLabels).length > 0) {
        // There the root namespace speaks for all, but for no workload of others.
        if (namespace === rootNamespace) continue;
        this.selecting.set(namespace, [...(this.selecting.get(namespace) ?? []), policy]);
      } else if (!this.byNamespace.has(namespace)) this.byNamespace.set(namespace, mode);
    }
    this.root = this.byNamespace.get(rootNamespace) || MutualTls.PERMISSIVE;
  }

  /** The same object for workloads that are alike. */
  settingsFor(namespace: string, labels: Labels): MutualTlsSettings {
    const own = this.selecting
      .get(namespace)
      ?.find(({ workloadLabels }) =>
        Object.entries(workloadLabels).every(([key, value]) => labels[key] === value),
      );
    const key = `${namespace} ${own?.name ?? ""}`;
    const known = this.settings.get(key) ?? this.compose(namespace, own);
    this.settings.set(key, known);
    return known;
  }

  /** The mode of one port of a workload. */
  modeOf(namespace: string, labels: Labels, port: number): MutualTls {
    const { mode, ports } = this.settingsFor(namespace, labels);
    return ports.get(port) ?? mode;
  }

  private compose(namespace: string, own: PeerAuthentication | undefined): MutualTlsSettings {
    const mode = own?.mode || this.byNamespace.get(namespace) || this.root;
    const ports = Object.entries(own?.portModes ?? {}).map(([port, written]): [number, MutualTls] => [
      Number(port),
      written || mode,
    ]);
    return { mode, ports: new Map(ports.sort(([a], [b]) => a - b)) };
  }
}
