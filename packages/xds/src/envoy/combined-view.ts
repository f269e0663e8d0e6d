import type { Resource } from "@keelson/protos";
import { LayeredMap } from "../layered-map.ts";
import type { ProxyView } from "./proxy-view.ts";
import type { InboundResources } from "./state/inbound-resources.ts";
import type { MeshResources } from "./state/mesh-resources.ts";
import { noResources, type ResourceMap } from "./state/resource-maps.ts";
import { envoyTypeUrls } from "./type-urls.ts";
import { WeakPairs } from "./weak-pairs.ts";

/** For proxies that get nothing. */
export const emptyView: ProxyView = { resources: () => noResources, lookup: () => undefined };

const layers = new WeakPairs<ResourceMap, ResourceMap, ResourceMap>();

/** The same map for the same two. */
function layered(shared: ResourceMap, own: ResourceMap): ResourceMap {
  if (own.size === 0) return shared;
  return layers.get(shared, own) ?? layers.set(shared, own, new LayeredMap(shared, own));
}

class CombinedView implements ProxyView {
  private readonly shared: MeshResources;
  private readonly inbound: InboundResources;

  constructor(shared: MeshResources, inbound: InboundResources) {
    this.shared = shared;
    this.inbound = inbound;
  }

  resources(typeUrl: string): ResourceMap {
    const { shared, inbound } = this;
    switch (typeUrl) {
      case envoyTypeUrls.cluster:
        return layered(shared.clusters, inbound.clusters);
      case envoyTypeUrls.listener:
        return layered(shared.listeners, inbound.listeners);
      case envoyTypeUrls.endpoint:
        return shared.endpoints;
      case envoyTypeUrls.route:
        return shared.routes;
      case envoyTypeUrls.extensionConfig:
        return shared.extensionConfigs;
      case envoyTypeUrls.nameTable:
        return shared.nameTable;
      default:
        return noResources;
    }
  }

  lookup(typeUrl: string, name: string): Resource | undefined {
    const { shared, inbound } = this;
    return this.resources(typeUrl).get(name) ?? shared.stray(typeUrl, name) ?? inbound.stray?.(typeUrl, name);
  }
}

const views = new WeakPairs<MeshResources, InboundResources, ProxyView>();

/** The same view for the same two parts. */
export function combinedView(shared: MeshResources, inbound: InboundResources): ProxyView {
  return views.get(shared, inbound) ?? views.set(shared, inbound, new CombinedView(shared, inbound));
}
