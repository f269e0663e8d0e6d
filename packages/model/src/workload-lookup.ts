import { formatLabels } from "@keelson/protos";
import { canonicalAddress } from "./address.ts";
import { objectKey, qualifiedName } from "./config-object.ts";
import type { NodeObject, PodObject, WorkloadEntryObject } from "./kinds/index.ts";
import type { PodLookup } from "./normalise/endpoints.ts";
import type { SelectedWorkloads } from "./normalise/service-entries.ts";
import { entryLabels } from "./normalise/workload-entries.ts";
import type { PlacedPod } from "./normalise/workload-facts.ts";
import { isDone, isReady, podAddresses } from "./normalise/workloads.ts";
import type { Changes, ObjectSet } from "./objects.ts";

type Labels = Readonly<Record<string, string>>;

/** What one selector chooses, kept up to date. */
interface Selection {
  readonly namespace: string;
  readonly selector: Labels;
  readonly pods: Set<PodObject>;
  /** Sorted by name; absent after a change. */
  sorted: readonly PodObject[] | undefined;
  isUsed: boolean;
}

/** Finds workloads by their names, addresses and labels. An update costs what it changes. */
export class WorkloadLookup implements PodLookup {
  private readonly pods = new Map<string, PodObject>();
  /** Address → pods that claim it, by key. */
  private readonly claims = new Map<string, readonly PodObject[]>();
  private readonly nodes = new Map<string, NodeObject>();
  /** The same one as long as pod and node stay the same. */
  private readonly placed = new WeakMap<PodObject, PlacedPod>();
  private readonly selections = new Map<string, Selection>();
  /** Names and addresses that lead elsewhere since the last update. */
  private readonly changed = new Set<string>();
  private entries: ReadonlyMap<string, readonly WorkloadEntryObject[]> = new Map();

  /** @returns whether anything changed in what it knows */
  update(objects: ObjectSet): boolean {
    const { added, removed } = objects.changes("Pod", "");
    const nodes = objects.changes("Node", "");
    const entries = objects.changes("WorkloadEntry", "networking.istio.io");
    this.changed.clear();
    for (const pod of [...removed, ...added]) this.noteChanged(pod);
    this.updateNodes(nodes);
    for (const pod of removed) this.remove(pod);
    for (const pod of added) this.add(pod);
    if (hasAny(entries))
      this.entries = Map.groupBy(
        objects.of("WorkloadEntry", "networking.istio.io"),
        ({ metadata }) => metadata.namespace,
      );
    return hasAny({ added, removed }) || hasAny(nodes) || hasAny(entries);
  }

  /** Whether the last update changed what a name or an address leads to. */
  hasChanged(nameOrAddress: string): boolean {
    return this.changed.size > 0 && this.changed.has(nameOrAddress);
  }

  byName(name: string): PlacedPod | undefined {
    return this.place(this.pods.get(name));
  }

  /**
   * An address leads to a pod that has it for itself: a finished pod's may belong to another one by now, and pods with
   * hostNetwork share their node's. Of two pods that claim one address, the name that sorts first counts.
   * @param address in its canonical form
   */
  byAddress(address: string): PlacedPod | undefined {
    return this.place(this.claims.get(address)?.[0]);
  }

  /** Pods that take connections, and WorkloadEntries, whose labels include all of the selector's. */
  select(namespace: string, selector: Labels): SelectedWorkloads {
    const key = `${namespace}/${formatLabels(selector)}`;
    const selection = this.selections.get(key) ?? this.selection(namespace, selector);
    this.selections.set(key, selection);
    selection.isUsed = true;
    selection.sorted ??= [...selection.pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const pods = selection.sorted.map((pod) => this.place(pod));
    return { pods, entries: this.selectEntries(namespace, selector) };
  }

  selectEntries(namespace: string, selector: Labels): WorkloadEntryObject[] {
    return (this.entries.get(namespace) ?? []).filter((entry) => includes(entryLabels(entry), selector));
  }

  /** Forgets selectors that nobody asked for since the last round. */
  endRound(): void {
    for (const [key, selection] of this.selections) {
      if (!selection.isUsed) this.selections.delete(key);
      selection.isUsed = false;
    }
  }

  private noteChanged(pod: PodObject): void {
    for (const name of [qualifiedName(pod), ...claimedBy(pod)]) this.changed.add(name);
  }

  /** Nodes change seldom in what is read of them, so all pods are looked at then. */
  private updateNodes({ added, removed }: Changes<"Node", "">): void {
    if (!hasAny({ added, removed })) return;
    for (const { metadata } of removed) this.nodes.delete(metadata.name);
    for (const node of added) this.nodes.set(node.metadata.name, node);
    const names = new Set([...removed, ...added].map(({ metadata }) => metadata.name));
    for (const pod of this.pods.values()) if (names.has(pod.body.spec.nodeName)) this.noteChanged(pod);
  }

  private place(pod: PodObject): PlacedPod;
  private place(pod: PodObject | undefined): PlacedPod | undefined;
  private place(pod: PodObject | undefined): PlacedPod | undefined {
    if (pod === undefined) return undefined;
    const node = this.nodes.get(pod.body.spec.nodeName);
    const before = this.placed.get(pod);
    if (before !== undefined && before.node === node) return before;
    const placed = { pod, node };
    this.placed.set(pod, placed);
    return placed;
  }

  private selection(namespace: string, selector: Labels): Selection {
    const selection: Selection = { namespace, selector, pods: new Set(), sorted: undefined, isUsed: true };
    for (const pod of this.pods.values()) if (isChosen(selection, pod)) selection.pods.add(pod);
    return selection;
  }

  private add(pod: PodObject): void {
    this.pods.set(qualifiedName(pod), pod);
    for (const address of claimedBy(pod)) {
      const others = this.claims.get(address);
      const all = others === undefined ? [pod] : [...others, pod];
      this.claims.set(address, all.length === 1 ? all : all.sort(byKey));
    }
    for (const selection of this.selections.values()) {
      if (!isChosen(selection, pod)) continue;
      selection.pods.add(pod);
      selection.sorted = undefined;
    }
  }

  private remove(pod: PodObject): void {
    if (this.pods.get(qualifiedName(pod)) === pod) this.pods.delete(qualifiedName(pod));
    for (const address of claimedBy(pod)) {
      const others = (this.claims.get(address) ?? []).filter((other) => other !== pod);
      if (others.length === 0) this.claims.delete(address);
      else this.claims.set(address, others);
    }
    for (const selection of this.selections.values()) {
      if (selection.pods.delete(pod)) selection.sorted = undefined;
    }
  }
}

const hasAny = ({ added, removed }: Record<"added" | "removed", readonly unknown[]>): boolean =>
  added.length + removed.length > 0;

const byKey = (a: PodObject, b: PodObject): number => (objectKey(a) < objectKey(b) ? -1 : 1);

const isChosen = ({ namespace, selector }: Selection, pod: PodObject): boolean =>
  pod.metadata.namespace === namespace && includes(pod.metadata.labels, selector) && isReady(pod);

const includes = (labels: Labels, selector: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Addresses that a pod has for itself. */
const claimedBy = (pod: PodObject): string[] =>
  isDone(pod) || pod.body.spec.hostNetwork ? [] : podAddresses(pod).map(canonicalAddress);
