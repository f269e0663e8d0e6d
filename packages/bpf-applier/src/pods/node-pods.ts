import { relative } from "node:path";
import type { Workload } from "@keelson/protos/policy";
import type { RelayNetwork } from "../relay/relay.ts";
import { Serial } from "../serial.ts";
import { whyLeftAlone } from "./left-alone.ts";
import { networkNamespaceOf, ownNetworkNamespaces } from "./network-namespace.ts";
import { ownCgroupId } from "./own-cgroup.ts";
import { type PodEntry, type PodMap, workloadIdentifier } from "./pod-map.ts";
import { PodNetworks } from "./pod-networks.ts";
import type { Cgroup, PodTree } from "./pod-tree.ts";
import { PodWatch } from "./pod-watch.ts";

export interface NodePodsOptions {
  /** The folder below which pods are looked for. */
  readonly top: string;
  readonly excludedNamespaces: readonly string[];
  readonly map: PodMap;
  /** Makes programs hang on these folders and on no other; never called twice at once. */
  readonly attach: (roots: readonly Cgroup[]) => Promise<void>;
  /**
   * Told of all networks of pods whose calls are decided here, by cookie, when they are others; undefined: nobody wants to
   * know, and the rights to enter them are not needed.
   */
  readonly onNetworks?: (networks: ReadonlyMap<bigint, RelayNetwork>) => Promise<void>;
  readonly onError: (what: string, error: Error) => void;
}

/** A pod whose cgroup is there. */
export interface PodStatus {
  /** "namespace/pod"; empty: the control plane has not told of it. */
  readonly name: string;
  readonly uid: string;
  /** Below the folder in which pods are looked for. */
  readonly cgroup: string;
  /** Whether its calls are decided here. */
  readonly decided: boolean;
  readonly why: string;
  /** Inode number of its network namespace, where that can be seen. */
  readonly network?: bigint;
}

const notTold = "the control plane has not told of it; on the node's network it is left alone all the same";

/** How long a folder that could not be attached to is left before the next attempt. */
const attachAgainMs = 5_000;

/** The pods of this node: finds them, has programs above them, and tells programs which of them are left alone. */
export class NodePods {
  private readonly options: NodePodsOptions;
  private readonly excluded: ReadonlySet<string>;
  private readonly watch: PodWatch;
  private readonly networks: PodNetworks | undefined;
  /**
   * The agent's, which may be a pod itself. Its relay opens connections in pods' networks, to addresses of endpoints that may be
   * those of services, too, and must not come back to it.
   */
  private readonly ownCgroup = ownCgroupId();
  private tree: PodTree = { roots: [], pods: [], parents: [] };
  private isTreeKnown = false;
  /** By uid. Undefined: nothing was told yet, and what an earlier applier has told programs stays. */
  private workloads: ReadonlyMap<string, Workload> | undefined;
  /** Undefined: not tried yet; an earlier applier's programs may hang anywhere. */
  private attached: readonly Cgroup[] | undefined;
  private readonly attaching = new Serial();
  private retry: NodeJS.Timeout | undefined;

  constructor(options: NodePodsOptions) {
    this.options = options;
    this.excluded = new Set(options.excludedNamespaces);
    this.networks =
      options.onNetworks &&
      new PodNetworks(options.onNetworks, (error) => options.onError("look at the networks of pods", error));
    this.watch = new PodWatch(
      options.top,
      (tree) => this.onTree(tree),
      (error) => options.onError("watch the tree of cgroups", error),
    );
  }

  /** Resolves when programs hang above all pods that are there. @throws BpfError if they cannot. */
  async start(): Promise<void> {
    this.watch.start();
    await this.attach();
  }

  /** Programs and entries stay. */
  async stop(): Promise<void> {
    this.watch.stop();
    this.networks?.stop();
    clearTimeout(this.retry);
    await this.attaching.run(() => Promise.resolve());
  }

  /** Takes over which workloads the node has. */
  tell(workloads: Iterable<Workload>): void {
    this.workloads = new Map(
      Array.from(workloads, (workload) => [workload.uid, workload] as const).filter(([uid]) => uid !== ""),
    );
    this.write();
  }

  /** Folders of all pods that programs hang on, below the folder in which they are looked for. */
  attachedTo(): string[] {
    return (this.attached ?? []).map(({ path }) => this.shown(path));
  }

  get unwatchedBecause(): string | undefined {
    return this.watch.unwatchedBecause;
  }

  /** Names of workloads that have no cgroup (yet). */
  withoutCgroup(): string[] {
    const there = new Set(this.tree.pods.map(({ uid }) => uid));
    return [...(this.workloads?.values() ?? [])].filter(({ uid }) => !there.has(uid)).map(({ name }) => name);
  }

  /** All pods that are there, by name, those without one last. */
  status(): PodStatus[] {
    const own = ownNetworkNamespaces();
    const pods = this.tree.pods.map((pod) => {
      const workload = this.workloads?.get(pod.uid);
      const network = networkNamespaceOf(pod.path);
      const why =
        (workload && whyLeftAlone(workload, this.excluded)) ??
        // Programs see it by the socket of each call, and need not be told.
        (network !== undefined && own.has(network) ? "its network is the node's" : undefined);
      return {
        name: workload?.name ?? "",
        uid: pod.uid,
        cgroup: this.shown(pod.path),
        decided: why === undefined,
        why: why ?? (workload === undefined ? notTold : "it is in the mesh"),
        ...(network === undefined ? {} : { network }),
      };
    });
    return pods.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  }

  private onTree(tree: PodTree): void {
    this.tree = tree;
    this.isTreeKnown = true;
    // Before anything else: a pod that has just been made has no process yet.
    this.write();
    this.attachSoon();
  }

  private write(): void {
    if (!this.isTreeKnown) return;
    this.networks?.update(this.tree.pods.filter(({ uid }) => !this.isLeftAlone(uid)));
    if (this.workloads === undefined) return;
    const entries = new Map<bigint, PodEntry>();
    if (this.ownCgroup !== undefined) entries.set(this.ownCgroup, { workload: 0n, leftAlone: true });
    for (const { uid, id } of this.tree.pods) {
      const workload = this.workloads.get(uid);
      if (workload === undefined) continue;
      entries.set(id, { workload: workloadIdentifier(workload.name), leftAlone: this.isLeftAlone(uid) });
    }
    try {
      this.options.map.write(entries);
    } catch (error) {
      this.options.onError("tell programs of the node's pods", error as Error);
    }
  }

  /** Of a pod that the control plane has not told of it is not known. */
  private isLeftAlone(uid: string): boolean {
    const workload = this.workloads?.get(uid);
    return workload !== undefined && whyLeftAlone(workload, this.excluded) !== undefined;
  }

  /** A failure is tried again. */
  private attachSoon(): void {
    clearTimeout(this.retry);
    this.attach().catch((error: Error) => {
      this.options.onError("attach programs above the node's pods", error);
      this.retry = setTimeout(() => this.attachSoon(), attachAgainMs).unref();
    });
  }

  private attach(): Promise<void> {
    return this.attaching.run(async () => {
      const { roots } = this.tree;
      if (sameFolders(roots, this.attached)) return;
      await this.options.attach(roots);
      this.attached = roots;
    });
  }

  private shown(path: string): string {
    return `/${relative(this.options.top, path)}`;
  }
}

const sameFolders = (a: readonly Cgroup[], b: readonly Cgroup[] | undefined): boolean =>
  a.length === b?.length && a.every(({ id }, i) => id === b[i]?.id);

const sortKey = ({ name, uid }: PodStatus): string => `${name === "" ? "\uffff" : name} ${uid}`;
