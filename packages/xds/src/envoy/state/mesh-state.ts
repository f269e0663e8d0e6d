import { differingKeys, isSameMap, PeerAuthentications } from "@keelson/model";
import type { PolicyIr } from "@keelson/protos";
import type { EndpointSet } from "@keelson/protos/policy";
import { ExtensionIndex } from "../extension/extension-index.ts";
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
  readonly peerAuthentications: PeerAuthentications;
  readonly extensions: ExtensionIndex;
}

/** Indexes of the snapshot after `before`: only what changed is made anew. */
export function buildIndexes(ir: PolicyIr, before: MeshIndexes | undefined): MeshIndexes {
  const { rootNamespace } = ir.mesh;
  const sameRoot = before?.ir.mesh.rootNamespace === rootNamespace;
  const same = (part: Exclude<keyof PolicyIr, "mesh">): boolean =>
    before !== undefined && isSameMap(before.ir[part], ir[part]);
  const keep = <Index>(usable: boolean, index: Index | undefined, make: () => Index): Index =>
    usable && index !== undefined ? index : make();
  return {
    ir,
    services: keep(same("services"), before?.services, () => new ServiceIndex(ir.services)),
    routeTables: keep(same("routeTables"), before?.routeTables, () => new RouteTableIndex(ir.routeTables)),
    hostPolicies: keep(
      sameRoot && same("hostPolicies"),
      before?.hostPolicies,
      () => new HostPolicyIndex(ir.hostPolicies, rootNamespace),
    ),
    sidecars: keep(
      sameRoot && same("sidecarScopes"),
      before?.sidecars,
      () => new SidecarScopeIndex(ir.sidecarScopes, rootNamespace),
    ),
    peerAuthentications: keep(
      sameRoot && same("peerAuthentications"),
      before?.peerAuthentications,
      () => new PeerAuthentications(ir.peerAuthentications.values(), rootNamespace),
    ),
    extensions: keep(
      sameRoot && same("extensions"),
      before?.extensions,
      () => new ExtensionIndex(ir.extensions.values(), rootNamespace),
    ),
    gateways: keep(same("gateways"), before?.gateways, () => new GatewayIndex(ir.gateways)),
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
  a.gateways !== b.gateways ||
  a.peerAuthentications !== b.peerAuthentications ||
  a.extensions !== b.extensions;

/** Names of the endpoint sets that differ; keeps `ports` up to date with them. */
export function changedEndpointSets(
  before: ReadonlyMap<string, EndpointSet> | undefined,
  after: ReadonlyMap<string, EndpointSet>,
  ports: WorkloadPorts,
): string[] {
  const changed = [...differingKeys(before ?? none, after)];
  for (const name of changed) ports.replace(before?.get(name), after.get(name));
  return changed;
}

const none: ReadonlyMap<string, EndpointSet> = new Map();
