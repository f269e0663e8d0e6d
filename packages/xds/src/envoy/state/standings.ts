import type { PolicyIr } from "@keelson/protos";
import type { Workload } from "@keelson/protos/policy";
import type { SidecarScope } from "@keelson/protos/proxy";
import type { WorkloadPort } from "../index/workload-ports.ts";
import type { ProxyNode } from "../proxy-node.ts";
import { buildScope, type Scope } from "../scope/scope.ts";
import type { ProxyTraits } from "../traits.ts";
import { LiveMesh } from "./live-mesh.ts";
import { sameItems } from "./origin.ts";
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
}

interface Remembered {
  readonly standing: Standing;
  readonly ports: readonly (readonly WorkloadPort[])[];
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
    const { config, indexes } = this.mesh;
    const workload = indexes.ir.workloads.get(`${proxy.namespace}/${proxy.name}`);
    const ports = proxy.addresses.map((address) => this.mesh.workloadPorts(address));
    const right =
      known !== undefined &&
      known.standing.config === config &&
      known.standing.workload === workload &&
      sameItems(known.ports, ports);
    if (right) return known.standing;
    const standing = this.find(proxy, workload, distinct(ports.flat()));
    this.remembered.set(proxy, { standing, ports });
    return standing;
  }

  private find(proxy: ProxyNode, workload: Workload | undefined, ports: readonly WorkloadPort[]): Standing {
    const { indexes, config } = this.mesh;
    const labels = labelsOf(proxy, workload);
    const traits = traitsOf(proxy, labels, ports, indexes);
    const sidecar = proxy.kind === "sidecar" ? indexes.sidecars.find(proxy.namespace, labels) : undefined;
    const scope = this.scopeOf(sidecar, proxy.namespace);
    return { config, workload, labels, ports, traits, sidecar: sidecar?.name, scope };
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
}

/** A workload with addresses of both families serves its ports on both. */
function distinct(ports: readonly WorkloadPort[]): WorkloadPort[] {
  const byKey = new Map(ports.map((port) => [`${port.port} ${port.hostname} ${port.servicePort}`, port]));
  return [...byKey.values()];
}
