import type { PolicyIr } from "@keelson/protos";
import type { Gateway } from "@keelson/protos/proxy";
import { combinedView, emptyView } from "./combined-view.ts";
import { Context } from "./context.ts";
import { isExportedTo } from "./index/services.ts";
import { inboundPlans, unknownPorts } from "./listener/inbound-plan.ts";
import type { ProxyNode } from "./proxy-node.ts";
import type { ProxyView } from "./proxy-view.ts";
import { type GatewayInputs, GatewayResources, gatewayInputList } from "./state/gateway-resources.ts";
import { type InboundResources, inboundResources, noInbound } from "./state/inbound-resources.ts";
import { dataKey, Interner } from "./state/interner.ts";
import type { LiveMesh } from "./state/live-mesh.ts";
import type { Making, MeshResources } from "./state/mesh-resources.ts";
import { SharedState } from "./state/shared-state.ts";
import { SidecarResources } from "./state/sidecar-resources.ts";
import { type Standing, Standings } from "./state/standings.ts";
import { WaypointResources } from "./state/waypoint-resources.ts";
import { filtersKey, traitsKey } from "./traits.ts";
import { WaypointContext } from "./waypoint/waypoint-context.ts";

const servedKinds: ReadonlySet<ProxyNode["kind"]> = new Set(["sidecar", "router", "waypoint"]);

/** Which resources a proxy gets, found once and kept as long as nothing it depends on changes. */
interface Place {
  readonly standing: Standing;
  /** Undefined for all but routers. */
  readonly gateway: GatewayInputs | undefined;
  readonly shared: SharedState;
  readonly inbound: InboundResources;
}

/**
 * Makes Envoy's resources from the policy IR: pure, but for what it remembers to make nothing twice. Proxies that are
 * alike share their lists; a change of endpoints makes only the load assignments that hold them anew.
 */
export class EnvoyGenerator {
  private readonly standings: Standings;
  private readonly shared = new Interner<SharedState>();
  private readonly inbound = new Interner<InboundResources>();
  private readonly places = new WeakMap<Standing, Place>();

  /** @param standings shared with generators for other kinds of proxies, if there are any. */
  constructor(standings = new Standings()) {
    this.standings = standings;
  }

  private get mesh(): LiveMesh {
    return this.standings.mesh;
  }

  /**
   * What a proxy gets at the moment of `ir`: the same view as before if nothing of it changed.
   * @param proxy the same object for all calls for one proxy: what is found out about it is remembered under it.
   */
  view(ir: PolicyIr, proxy: ProxyNode): ProxyView {
    if (!servedKinds.has(proxy.kind)) return emptyView;
    const place = this.placeOf(ir, proxy);
    return combinedView(this.sharedResources(place), place.inbound);
  }

  private sharedResources(place: Place): MeshResources {
    const { config } = this.mesh;
    return (
      place.shared.upToDate(config) ??
      place.shared.refresh(config, (present) => this.resources(place, present))
    );
  }

  /** The Gateways that a proxy serves at the moment of `ir`. */
  gatewaysOf(ir: PolicyIr, proxy: ProxyNode): Gateway[] {
    const { gateways = [] } = this.placeOf(ir, proxy).gateway ?? {};
    return gateways.map(({ gateway }) => gateway);
  }

  private resources({ standing, gateway, shared }: Place, present: MeshResources | undefined): MeshResources {
    const { traits, scope, waypoint } = standing;
    if (waypoint !== undefined) return this.waypointResources(waypoint, standing, shared, present);
    const context = new Context(this.mesh.indexes.ir.mesh, traits, scope, this.mesh);
    if (present?.isRightFor(context, gateway && gatewayInputList(gateway)) === true) return present;
    const making: Making = { context, makers: this.mesh.makers, before: present?.lists ?? {}, made: {} };
    const made = gateway === undefined ? new SidecarResources(making) : new GatewayResources(making, gateway);
    this.mesh.interests.set(shared, made.hostnames);
    return made;
  }

  private waypointResources(
    key: string,
    { traits, scope }: Standing,
    shared: SharedState,
    present: MeshResources | undefined,
  ): MeshResources {
    const { indexes, makers, interests } = this.mesh;
    const context = new WaypointContext(key, indexes.ir.mesh, traits, scope, this.mesh);
    if (present?.isRightFor(context, [key]) === true) return present;
    const made = new WaypointResources({ context, makers, before: present?.lists ?? {}, made: {} });
    interests.set(shared, made.hostnames);
    return made;
  }

  private placeOf(ir: PolicyIr, proxy: ProxyNode): Place {
    const standing = this.standings.of(ir, proxy);
    const known = this.places.get(standing);
    if (known !== undefined) return known;
    const place = this.findPlace(proxy, standing);
    this.places.set(standing, place);
    return place;
  }

  private findPlace(proxy: ProxyNode, standing: Standing): Place {
    if (proxy.kind === "router") return this.gatewayPlace(standing);
    if (standing.waypoint === undefined) return this.sidecarPlace(proxy, standing);
    const key = dataKey(["waypoint", standing.waypoint, traitsKey(standing.traits)]);
    const shared = this.shared.get(key, () => new SharedState());
    return { standing, gateway: undefined, shared, inbound: noInbound };
  }

  private gatewayPlace(standing: Standing): Place {
    const { ports, traits } = standing;
    const gateway = this.gatewayInputs(standing);
    const served = gateway.gateways.map(({ name }) => name);
    const key = dataKey(["gateway", served, ports, traitsKey(traits)]);
    const shared = this.shared.get(key, () => new SharedState());
    return { standing, gateway, shared, inbound: noInbound };
  }

  private sidecarPlace(proxy: ProxyNode, standing: Standing): Place {
    const key = dataKey(["sidecar", standing.sidecar, traitsKey(standing.traits)]);
    const shared = this.shared.get(key, () => new SharedState());
    return { standing, gateway: undefined, shared, inbound: this.inboundOf(proxy, standing) };
  }

  private gatewayInputs({ labels, ports, traits: { namespace } }: Standing): GatewayInputs {
    const { gateways: all, routeTables } = this.mesh.indexes;
    const gateways = all.selecting(labels);
    const tables = gateways.map(({ name }): [string, ReturnType<typeof routeTables.forGateway>] => [
      name,
      routeTables.forGateway(name).filter((table) => isExportedTo(table, namespace)),
    ]);
    return { gateways, tables: new Map(tables), ports };
  }

  private inboundOf(proxy: ProxyNode, { labels, ports, traits, scope }: Standing): InboundResources {
    const { ir, peerAuthentications } = this.mesh.indexes;
    const settings = peerAuthentications.settingsFor(proxy.namespace, labels);
    const plans = inboundPlans(ports, new Context(ir.mesh, traits, scope, this.mesh), settings);
    const others = unknownPorts(plans, settings);
    // The proxy's own address is only looked at where a Sidecar says so.
    const addresses = plans.some(({ endpoint, bind }) => endpoint !== "" || bind === "")
      ? proxy.addresses
      : [];
    const { agent, http10, interception, families, idleTimeoutMs } = traits;
    const common = [
      agent,
      http10,
      interception,
      families,
      idleTimeoutMs,
      this.mesh.makers.number,
      filtersKey(traits),
    ];
    const key = dataKey([plans, others, addresses, common]);
    return this.inbound.get(key, () => inboundResources(plans, others, addresses, ir.mesh, traits));
  }
}
