import type { PolicyIr } from "@keelson/protos";
import type { Workload } from "@keelson/protos/policy";
import type { SidecarScope } from "@keelson/protos/proxy";
import { addressKey } from "../addresses.ts";
import type { WorkloadPort } from "../index/workload-ports.ts";
import type { ProxyNode } from "../proxy-node.ts";
import { buildScope, type Scope } from "../scope/scope.ts";
import type { ProxyTraits } from "../traits.ts";
import { waypointScope } from "../waypoint/waypoint-scope.ts";
import { LiveMesh } from "./live-mesh.ts";
import { labelsOf, traitsOf } from "./traits-of.ts";

/** What is known of a proxy. Immutable: the same object as long as nothing it depends on changes. */
export interface Standing {
  /** Number of the configuration that it is found in. */
  readonly config: number;
  readonly workload: Workload | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Of its workload; sorted as {@link WorkloadPorts} has them. */
  readonly ports: readonly WorkloadPort[];
  readonly traits: ProxyTraits;
  /** Name of the Sidecar that counts for it; undefined: none does. */
  readonly sidecar: string | undefined;
  readonly scope: Scope;
  /** "namespace/name" of the Gateway that a waypoint's proxy is for; undefined for all others. */
  readonly waypoint: string | undefined;
}

/** Label of the pods that are made for a Gateway. */
const gatewayNameLabel = "gateway.networking.k8s.io/gateway-name";

/** What the mesh knows of a proxy's workload, and under which names it is looked up. */
interface Whereabouts {
  readonly workloadName: string;
  readonly workload: Workload | undefined;
  /** As addressKey writes them; the ports of each. */
  readonly addresses: readonly string[];
  readonly ports: readonly (readonly WorkloadPort[])[];
}

interface Remembered {
  readonly standing: Standing;
  readonly whereabouts: Whereabouts;
}

/** Finds out what counts of each proxy in the newest snapshot, once, for all generators of resources. */
export class Standings {
  readonly mesh = new LiveMesh();
  private readonly remembered = new WeakMap<ProxyNode, Remembered>();
  private scopes = { config: -1, byKey: new Map<string, Scope>() };

  /** @param proxy the same object for all calls for one proxy: what is found out about it is remembered under it. */
  of(ir: PolicyIr, proxy: ProxyNode): Standing {
    this.mesh.update(ir);
    const known = this.remembered.get(proxy);
    if (known?.standing.config === this.mesh.config && this.isWhereItWas(known.whereabouts))
      return known.standing;
    const whereabouts = this.whereaboutsOf(proxy);
    const standing = this.find(proxy, whereabouts.workload, distinct(whereabouts.ports.flat()));
    this.remembered.set(proxy, { standing, whereabouts });
    return standing;
  }

  /** Asked for every proxy after every change. */
  private isWhereItWas({ workloadName, workload, addresses, ports }: Whereabouts): boolean {
    const { mesh } = this;
    return (
      mesh.indexes.ir.workloads.get(workloadName) === workload &&
      addresses.every((address, i) => mesh.workloadPorts(address) === ports[i])
    );
  }

  private whereaboutsOf(proxy: ProxyNode): Whereabouts {
    const workloadName = `${proxy.namespace}/${proxy.name}`;
    const addresses = proxy.addresses.map(addressKey);
    const workload = this.mesh.indexes.ir.workloads.get(workloadName);
    return { workloadName, workload, addresses, ports: addresses.map((key) => this.mesh.workloadPorts(key)) };
  }

  private find(proxy: ProxyNode, workload: Workload | undefined, ports: readonly WorkloadPort[]): Standing {
    const { indexes, config } = this.mesh;
    const labels = labelsOf(proxy, workload);
    const traits = traitsOf(proxy, labels, ports, indexes);
    const sidecar = proxy.kind === "sidecar" ? indexes.sidecars.find(proxy.namespace, labels) : undefined;
    const waypoint =
      proxy.kind === "waypoint" ? `${proxy.namespace}/${labels[gatewayNameLabel] ?? ""}` : undefined;
    const scope =
      waypoint === undefined
        ? this.scopeOf(sidecar, proxy.namespace)
        : this.scopeFor(`waypoint ${waypoint}`, () => waypointScope(waypoint, indexes));
    return { config, workload, labels, ports, traits, sidecar: sidecar?.name, scope, waypoint };
  }

  /** Once for all proxies of a namespace that have the same Sidecar. */
  private scopeOf(sidecar: SidecarScope | undefined, namespace: string): Scope {
    const { ir, services, routeTables } = this.mesh.indexes;
    const inputs = { services, routeTables, meshPolicy: ir.mesh.outboundPolicy };
    return this.scopeFor(`${namespace} ${sidecar?.name ?? ""}`, () => buildScope(sidecar, namespace, inputs));
  }

  /** The same scope for the same key, as long as nothing but endpoints and workloads changes. */
  private scopeFor(key: string, make: () => Scope): Scope {
    const { config } = this.mesh;
    if (this.scopes.config !== config) this.scopes = { config, byKey: new Map() };
    const scope = this.scopes.byKey.get(key) ?? make();
    this.scopes.byKey.set(key, scope);
    return scope;
  }
}

/** A workload with addresses of both families serves its ports on both. */
function distinct(ports: readonly WorkloadPort[]): WorkloadPort[] {
  const byKey = new Map(ports.map((port) => [`${port.port} ${port.hostname} ${port.servicePort}`, port]));
  return [...byKey.values()];
}
