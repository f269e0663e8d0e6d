import type { Resource } from "@keelson/protos";
import { LayeredMap } from "../layered-map.ts";
import type { ProxyView } from "./proxy-view.ts";
import type { InboundResources } from "./state/inbound-resources.ts";
import type { MeshResources } from "./state/mesh-resources.ts";
import { noResources, type ResourceMap } from "./state/resource-maps.ts";
import { envoyTypeUrls } from "./type-urls.ts";

/** For proxies that get nothing. */
export const emptyView: ProxyView = { resources: () => noResources, lookup: () => undefined };

const layers = new WeakMap<ResourceMap, WeakMap<ResourceMap, ResourceMap>>();

/** The same map for the same two. */
function layered(shared: ResourceMap, own: ResourceMap): ResourceMap {
  if (own.size === 0) return shared;
  const known = layers.get(shared) ?? new WeakMap<ResourceMap, ResourceMap>();
  layers.set(shared, known);
  const map = known.get(own) ?? new LayeredMap(shared, own);
  known.set(own, map);
  return map;
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

const views = new WeakMap<MeshResources, WeakMap<InboundResources, ProxyView>>();

/** The same view for the same two parts. */
export function combinedView(shared: MeshResources, inbound: InboundResources): ProxyView {
  const known = views.get(shared) ?? new WeakMap<InboundResources, ProxyView>();
  views.set(shared, known);
  const view = known.get(inbound) ?? new CombinedView(shared, inbound);
  known.set(inbound, view);
  return view;
}
