import type { PolicyIr } from "@keelson/protos";
import { ServiceClusters } from "../envoy/cluster/service-clusters.ts";
import { combinedView } from "../envoy/combined-view.ts";
import { Context } from "../envoy/context.ts";
import type { ProxyNode } from "../envoy/proxy-node.ts";
import type { ProxyView } from "../envoy/proxy-view.ts";
import type { InboundResources } from "../envoy/state/inbound-resources.ts";
import { dataKey, Interner } from "../envoy/state/interner.ts";
import type { MeshResources } from "../envoy/state/mesh-resources.ts";
import { SharedState } from "../envoy/state/shared-state.ts";
import type { Standing, Standings } from "../envoy/state/standings.ts";
import { traitsKey } from "../envoy/traits.ts";
import { grpcCluster } from "./grpc-cluster.ts";
import { GrpcResources, NamedResources } from "./grpc-resources.ts";
import { serverMode } from "./server-listener.ts";
import { serverResources } from "./server-resources.ts";

/** Which resources a process on gRPC gets, kept as long as nothing they depend on changes. */
interface Place {
  readonly shared: SharedState;
  readonly servers: InboundResources;
}

/** Makes the resources of gRPC's own clients and servers from the policy IR, as EnvoyGenerator does Envoy's. */
export class GrpcGenerator {
  private readonly standings: Standings;
  private readonly clusters = new ServiceClusters(grpcCluster);
  private readonly shared = new Interner<SharedState>();
  private readonly servers = new Interner<InboundResources>();
  private readonly places = new WeakMap<Standing, Place>();

  constructor(standings: Standings) {
    this.standings = standings;
  }

  /**
   * What a process gets at the moment of `ir`: the same view as before if nothing of it changed.
   * @param node the same object for all calls for one process: what is found out about it is remembered under it.
   */
  view(ir: PolicyIr, node: ProxyNode): ProxyView {
    const standing = this.standings.of(ir, node);
    const { shared, servers } = this.placeOf(node, standing);
    const resources = shared.refresh(this.standings.mesh.config, (present) =>
      this.resources(standing, shared, present),
    );
    return combinedView(resources, servers);
  }

  private resources(
    { traits, scope }: Standing,
    shared: SharedState,
    present: MeshResources | undefined,
  ): MeshResources {
    const { mesh } = this.standings;
    const context = new Context(mesh.indexes.ir.mesh, traits, scope, mesh);
    if (present?.isRightFor(context) === true) return present;
    const making = { context, makers: mesh.makers, before: present?.lists ?? {}, made: {} };
    const made = new GrpcResources(making, {
      clusters: this.clusters,
      named: new NamedResources(),
    });
    mesh.interests.set(shared, made.hostnames);
    return made;
  }

  private placeOf(node: ProxyNode, standing: Standing): Place {
    const known = this.places.get(standing);
    if (known !== undefined) return known;
    const { sidecar, traits, ports, labels } = standing;
    const shared = this.shared.get(dataKey([sidecar, traitsKey(traits)]), () => new SharedState());
    const settings = this.standings.mesh.indexes.peerAuthentications.settingsFor(node.namespace, labels);
    const modes = new Map(
      ports.map(({ port }) => [port, serverMode(settings.ports.get(port) ?? settings.mode, labels)]),
    );
    const key = dataKey([node.addresses.map((address) => [...address]), [...modes]]);
    const servers = this.servers.get(key, () => serverResources(node.addresses, modes));
    const place = { shared, servers };
    this.places.set(standing, place);
    return place;
  }
}
