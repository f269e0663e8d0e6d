import type { PolicyIr } from "@keelson/protos";
import type { Workload } from "@keelson/protos/policy";
import type { Gateway, SidecarScope } from "@keelson/protos/proxy";
import { combinedView, emptyView } from "./combined-view.ts";
import { Context } from "./context.ts";
import { isExportedTo } from "./index/services.ts";
import type { WorkloadPort } from "./index/workload-ports.ts";
import { inboundPlans, unknownPorts } from "./listener/inbound-plan.ts";
import type { ProxyNode } from "./proxy-node.ts";
import type { ProxyView } from "./proxy-view.ts";
import { buildScope, type Scope } from "./scope/scope.ts";
import { type GatewayInputs, GatewayResources, gatewayInputList } from "./state/gateway-resources.ts";
import { type InboundResources, inboundResources, noInbound } from "./state/inbound-resources.ts";
import { dataKey, Interner } from "./state/interner.ts";
import { LiveMesh } from "./state/live-mesh.ts";
import type { Making, MeshResources } from "./state/mesh-resources.ts";
import { sameItems } from "./state/origin.ts";
import { SharedState } from "./state/shared-state.ts";
import { SidecarResources } from "./state/sidecar-resources.ts";
import { labelsOf, traitsOf } from "./state/traits-of.ts";
import { type ProxyTraits, traitsKey } from "./traits.ts";

/** Where a proxy belongs, found once and kept as long as nothing it depends on changes. */
interface Place {
  readonly config: number;
  readonly workload: Workload | undefined;
  readonly ports: readonly (readonly WorkloadPort[])[];
  readonly traits: ProxyTraits;
  readonly scope: Scope;
  /** Undefined for a sidecar. */
  readonly gateway: GatewayInputs | undefined;
  readonly shared: SharedState;
  readonly inbound: InboundResources;
}

/**
 * Makes Envoy's resources from the policy IR: pure, but for what it remembers to make nothing twice. Proxies that are
 * alike share their lists; a change of endpoints makes only the load assignments that hold them anew.
 */
export class EnvoyGenerator {
  private readonly mesh = new LiveMesh();
  private readonly shared = new Interner<SharedState>();
  private readonly inbound = new Interner<InboundResources>();
  private readonly places = new WeakMap<ProxyNode, Place>();
  private scopes = { config: -1, byKey: new Map<string, Scope>() };

  /**
   * What a proxy gets at the moment of `ir`: the same view as before if nothing of it changed.
   * @param proxy the same object for all calls for one proxy: what is found out about it is remembered under it.
   */
  view(ir: PolicyIr, proxy: ProxyNode): ProxyView {
    this.mesh.update(ir);
    if (proxy.kind !== "sidecar" && proxy.kind !== "router") return emptyView;
    const place = this.placeOf(proxy);
    const shared = place.shared.refresh(this.mesh.config, (present) => this.resources(place, present));
    return combinedView(shared, place.inbound);
  }

  /** The Gateways that a proxy serves at the moment of `ir`. */
  gatewaysOf(ir: PolicyIr, proxy: ProxyNode): Gateway[] {
    this.mesh.update(ir);
    const { gateways = [] } = this.placeOf(proxy).gateway ?? {};
    return gateways.map(({ gateway }) => gateway);
  }

  private resources(
    { traits, scope, gateway, shared }: Place,
    present: MeshResources | undefined,
  ): MeshResources {
    const context = new Context(this.mesh.indexes.ir.mesh, traits, scope, this.mesh);
    if (present?.isRightFor(context, gateway && gatewayInputList(gateway)) === true) return present;
    const making: Making = { context, makers: this.mesh.makers, before: present?.lists ?? {}, made: {} };
    const made = gateway === undefined ? new SidecarResources(making) : new GatewayResources(making, gateway);
    this.mesh.interests.set(shared, made.hostnames);
    return made;
  }

  private placeOf(proxy: ProxyNode): Place {
    const known = this.places.get(proxy);
    const { config, indexes } = this.mesh;
    const workload = indexes.ir.workloads.get(`${proxy.namespace}/${proxy.name}`);
    const ports = proxy.addresses.map((address) => this.mesh.workloadPorts(address));
    const right =
      known !== undefined &&
      known.config === config &&
      known.workload === workload &&
      sameItems(known.ports, ports);
    if (right) return known;
    const place = this.findPlace(proxy, workload, ports);
    this.places.set(proxy, place);
    return place;
  }

  private findPlace(
    proxy: ProxyNode,
    workload: Workload | undefined,
    ports: readonly (readonly WorkloadPort[])[],
  ): Place {
    const { indexes, config } = this.mesh;
    const labels = labelsOf(proxy, workload);
    const own = distinct(ports.flat());
    const traits = traitsOf(proxy, labels, own, indexes);
    const common = { config, workload, ports, traits };
    if (proxy.kind === "router") {
      const gateway = this.gatewayInputs(proxy, labels, own);
      const scope = this.scopeOf(undefined, proxy.namespace);
      const served = gateway.gateways.map(({ name }) => name);
      const key = dataKey(["gateway", served, own, traitsKey(traits)]);
      const shared = this.shared.get(key, () => new SharedState());
      return { ...common, scope, gateway, shared, inbound: noInbound };
    }
    const sidecar = indexes.sidecars.find(proxy.namespace, labels);
    const scope = this.scopeOf(sidecar, proxy.namespace);
    const key = dataKey(["sidecar", sidecar?.name, traitsKey(traits)]);
    const shared = this.shared.get(key, () => new SharedState());
    const context = new Context(indexes.ir.mesh, traits, scope, this.mesh);
    return {
      ...common,
      scope,
      gateway: undefined,
      shared,
      inbound: this.inboundOf(proxy, own, labels, context),
    };
  }

  private gatewayInputs(
    { namespace }: ProxyNode,
    labels: Readonly<Record<string, string>>,
    ports: readonly WorkloadPort[],
  ): GatewayInputs {
    const { gateways: all, routeTables } = this.mesh.indexes;
    const gateways = all.selecting(labels);
    const tables = gateways.map(({ name }): [string, ReturnType<typeof routeTables.forGateway>] => [
      name,
      routeTables.forGateway(name).filter((table) => isExportedTo(table, namespace)),
    ]);
    return { gateways, tables: new Map(tables), ports };
  }

  /** Once for all proxies of a namespace that have the same Sidecar. */
  private scopeOf(sidecar: SidecarScope | undefined, namespace: string): Scope {
    const { config, indexes } = this.mesh;
    if (this.scopes.config !== config) this.scopes = { config, byKey: new Map() };
    const key = `${namespace} ${sidecar?.name ?? ""}`;
    const known = this.scopes.byKey.get(key);
    if (known !== undefined) return known;
    const { ir, services, routeTables } = indexes;
    const scope = buildScope(sidecar, namespace, {
      services,
      routeTables,
      meshPolicy: ir.mesh.outboundPolicy,
    });
    this.scopes.byKey.set(key, scope);
    return scope;
  }

  private inboundOf(
    proxy: ProxyNode,
    ports: readonly WorkloadPort[],
    labels: Readonly<Record<string, string>>,
    context: Context,
  ): InboundResources {
    const { mesh, proxy: traits } = context;
    const settings = this.mesh.indexes.peerAuthentications.settingsFor(proxy.namespace, labels);
    const plans = inboundPlans(ports, context, settings);
    const others = unknownPorts(plans, settings);
    // The proxy's own address is only looked at where a Sidecar says so.
    const addresses = plans.some(({ endpoint }) => endpoint !== "") ? proxy.addresses : [];
    const { agent, http10, interception, families, idleTimeoutMs } = traits;
    const common = [agent, http10, interception, families, idleTimeoutMs, this.mesh.makers.number];
    const key = dataKey([plans, others, addresses, common]);
    return this.inbound.get(key, () => inboundResources(plans, others, addresses, mesh, traits));
  }
}

/** A workload with addresses of both families serves its ports on both. */
function distinct(ports: readonly WorkloadPort[]): WorkloadPort[] {
  const byKey = new Map(ports.map((port) => [`${port.port} ${port.hostname} ${port.servicePort}`, port]));
  return [...byKey.values()];
}
