import type { Resource, ResourceSnapshot } from "@keelson/protos";
import { LayeredMap } from "../layered-map.ts";
import { sameResources } from "./difference.ts";
import { noResources, type Resources, type View } from "./view.ts";

/** The resources of a type, by whom they are for. */
interface Split {
  readonly forAll: Resources;
  readonly byNode: ReadonlyMap<string, Resources>;
}

const empty: Split = { forAll: noResources, byNode: new Map() };

/**
 * What each node gets of snapshots: what is for all, and what is for it by `Resource.node`. Each type is looked through
 * once per snapshot, when somebody first asks for it; lists in which nothing changed stay the same objects.
 */
export class NodeViews {
  /** The latest of each type. */
  private readonly latest = new Map<string, Split>();
  /** Also those of older snapshots that some stream is still brought to. */
  private readonly splits = new WeakMap<Resources, Split>();
  private readonly combined = new WeakMap<Resources, WeakMap<Resources, Resources>>();

  /** @param nodeName "" for a node that told none: it gets what is for all. */
  viewOf(nodeName: string, { resources }: Pick<ResourceSnapshot, "resources">): View {
    return { resources: (typeUrl) => this.listOf(nodeName, typeUrl, resources.get(typeUrl) ?? noResources) };
  }

  private listOf(nodeName: string, typeUrl: string, source: Resources): Resources {
    const { forAll, byNode } = this.split(typeUrl, source);
    const own = nodeName === "" ? undefined : byNode.get(nodeName);
    return own === undefined ? forAll : this.both(forAll, own);
  }

  private split(typeUrl: string, source: Resources): Split {
    if (source === noResources) return empty;
    const known = this.splits.get(source);
    if (known !== undefined) return known;
    const split = splitOf(source, this.latest.get(typeUrl) ?? empty);
    this.splits.set(source, split);
    this.latest.set(typeUrl, split);
    return split;
  }

  private both(forAll: Resources, own: Resources): Resources {
    if (forAll.size === 0) return own;
    const known = this.combined.get(forAll) ?? new WeakMap<Resources, Resources>();
    this.combined.set(forAll, known);
    const map = known.get(own) ?? new LayeredMap(forAll, own);
    known.set(own, map);
    return map;
  }
}

function splitOf(source: Resources, before: Split): Split {
  const forAll = new Map<string, Resource>();
  const byNode = new Map<string, Map<string, Resource>>();
  for (const [name, resource] of source) {
    if (resource.node === undefined) {
      forAll.set(name, resource);
      continue;
    }
    const own = byNode.get(resource.node) ?? new Map<string, Resource>();
    byNode.set(resource.node, own.set(name, resource));
  }
  const kept = (now: Resources, old: Resources | undefined): Resources =>
    old !== undefined && sameResources(now, old) ? old : now;
  return {
    forAll: kept(forAll, before.forAll),
    byNode: new Map([...byNode].map(([node, own]) => [node, kept(own, before.byNode.get(node))])),
  };
}
