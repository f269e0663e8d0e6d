import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import type { RouteTable } from "@keelson/protos/route";
import type { ClusterEntry } from "../cluster/service-clusters.ts";
import { blackHoleCluster } from "../cluster/special-clusters.ts";
import { clusterNames } from "../names.ts";
import { mainListener } from "../waypoint/main-listener.ts";
import { tunnelClusters } from "../waypoint/tunnel-clusters.ts";
import { tunnelListeners } from "../waypoint/tunnel-listeners.ts";
import { vipClusters } from "../waypoint/vip-clusters.ts";
import type { WaypointContext } from "../waypoint/waypoint-context.ts";
import { resourceOf } from "../wire.ts";
import { EnvoyResources } from "./envoy-resources.ts";
import type { Making } from "./mesh-resources.ts";

/** What the proxies of one waypoint get. */
export class WaypointResources extends EnvoyResources {
  declare readonly context: WaypointContext;

  constructor(making: Making<WaypointContext>) {
    super(making, [making.context.key]);
  }

  protected ruleTables(): RouteTable[] {
    return this.context.scope.egress.flatMap(({ tables }) => tables);
  }

  protected override entriesOf(...inputs: Parameters<EnvoyResources["entriesOf"]>): readonly ClusterEntry[] {
    const [scoped, parts] = inputs;
    return this.context.serves(scoped.service.hostname)
      ? vipClusters(scoped, this.context, parts)
      : super.entriesOf(...inputs);
  }

  protected otherClusters(): Resource[] {
    const { mesh, proxy } = this.context;
    return [
      ...tunnelClusters(mesh, proxy).map((cluster) => resourceOf(ClusterSchema, cluster.name, cluster)),
      this.special(clusterNames.blackHole, () => blackHoleCluster(mesh)),
    ];
  }

  protected makeListeners(): Resource[] {
    const { mesh, proxy } = this.context;
    return [...tunnelListeners(mesh, proxy), mainListener(this.context)].map((listener) =>
      resourceOf(ListenerSchema, listener.name, listener),
    );
  }

  /** Its listeners have their routes themselves. */
  protected makeRoutes(): Resource[] {
    return [];
  }

  protected strayRoutes(): undefined {
    return undefined;
  }

  protected remake(making: Making<WaypointContext>): WaypointResources {
    return new WaypointResources(making);
  }
}
