import type { PolicyIr } from "@keelson/protos";
import type { EndpointSet } from "@keelson/protos/policy";
import { GatewayIndex } from "../gateway/gateway-index.ts";
import { HostPolicyIndex } from "../index/host-policies.ts";
import { RouteTableIndex } from "../index/route-tables.ts";
import { ServiceIndex } from "../index/services.ts";
import { WorkloadPorts } from "../index/workload-ports.ts";
import { SidecarScopeIndex } from "../scope/select.ts";

/** The indexes of one snapshot of the policy IR. Immutable; those of parts that did not change are the same objects. */
export interface MeshIndexes {
  readonly ir: PolicyIr;
  readonly services: ServiceIndex;
  readonly routeTables: RouteTableIndex;
  readonly hostPolicies: HostPolicyIndex;
  readonly sidecars: SidecarScopeIndex;
  readonly gateways: GatewayIndex;
}

/** Indexes of the snapshot after `before`: only what changed is made anew. */
export function buildIndexes(ir: PolicyIr, before: MeshIndexes | undefined): MeshIndexes {
  const { mesh, services, routeTables, hostPolicies, sidecarScopes, gateways } = ir;
  const old = before?.ir;
  const sameRoot = old?.mesh.rootNamespace === mesh.rootNamespace;
  const keep = <Index>(same: boolean, index: Index | undefined, make: () => Index): Index =>
    same && index !== undefined ? index : make();
  return {
    ir,
    services: keep(old?.services === services, before?.services, () => new ServiceIndex(services)),
    routeTables: keep(
      old?.routeTables === routeTables,
      before?.routeTables,
      () => new RouteTableIndex(routeTables),
    ),
    hostPolicies: keep(
      old?.hostPolicies === hostPolicies && sameRoot,
      before?.hostPolicies,
      () => new HostPolicyIndex(hostPolicies, mesh.rootNamespace),
    ),
    sidecars: keep(
      old?.sidecarScopes === sidecarScopes && sameRoot,
      before?.sidecars,
      () => new SidecarScopeIndex(sidecarScopes, mesh.rootNamespace),
    ),
    gateways: keep(old?.gateways === gateways, before?.gateways, () => new GatewayIndex(gateways)),
  };
}

/** Whether something else than endpoints and workloads differs. */
export const configDiffers = (a: MeshIndexes | undefined, b: MeshIndexes): boolean =>
  a === undefined ||
  a.ir.mesh !== b.ir.mesh ||
  a.services !== b.services ||
  a.routeTables !== b.routeTables ||
  a.hostPolicies !== b.hostPolicies ||
  a.sidecars !== b.sidecars ||
  a.gateways !== b.gateways;

/** Names of the endpoint sets that differ; keeps `ports` up to date with them. */
export function changedEndpointSets(
  before: ReadonlyMap<string, EndpointSet> | undefined,
  after: ReadonlyMap<string, EndpointSet>,
  ports: WorkloadPorts,
): string[] {
  if (before === after) return [];
  const changed: string[] = [];
  let kept = 0;
  for (const [name, set] of after) {
    const old = before?.get(name);
    if (old !== undefined) kept += 1;
    if (old === set) continue;
    changed.push(name);
    ports.replace(old, set);
  }
  if (before === undefined || kept === before.size) return changed;
  for (const [name, set] of before) {
    if (after.has(name)) continue;
    changed.push(name);
    ports.replace(set, undefined);
  }
  return changed;
}
