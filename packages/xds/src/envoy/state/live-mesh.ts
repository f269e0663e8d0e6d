import type { PolicyIr } from "@keelson/protos";
import type { EndpointSet } from "@keelson/protos/policy";
import type { LiveIndexes } from "../context.ts";
import { Assignments } from "../endpoint/assignments.ts";
import type { ExtensionIndex } from "../extension/extension-index.ts";
import type { HostPolicyIndex } from "../index/host-policies.ts";
import type { ServiceIndex } from "../index/services.ts";
import { type WorkloadPort, WorkloadPorts } from "../index/workload-ports.ts";
import { Interests } from "./interests.ts";
import { Makers } from "./makers.ts";
import { buildIndexes, changedEndpointSets, configDiffers, type MeshIndexes } from "./mesh-state.ts";

/** The newest snapshot, followed from one to the next. */
export class LiveMesh implements LiveIndexes {
  readonly interests = new Interests();
  /** Grows when anything but endpoints and workloads changes. */
  config = 0;
  private readonly ports = new WorkloadPorts();
  private readonly assignments = new Assignments();
  private current: { readonly indexes: MeshIndexes; readonly makers: Makers } | undefined;

  /** Does nothing for the snapshot it has. Endpoint changes cost what they change, and one look at each set's identity. */
  update(ir: PolicyIr): void {
    const before = this.current;
    if (before?.indexes.ir === ir) return;
    const indexes = buildIndexes(ir, before?.indexes);
    const changed = changedEndpointSets(before?.indexes.ir.endpointSets, ir.endpointSets, this.ports);
    const sameMesh = before?.indexes.ir.mesh === ir.mesh;
    const makers = sameMesh && before !== undefined ? before.makers : new Makers(ir.mesh, this.assignments);
    if (configDiffers(before?.indexes, indexes)) this.config += 1;
    this.current = { indexes, makers };
    for (const name of changed) this.interests.notify(name);
  }

  private get newest(): { readonly indexes: MeshIndexes; readonly makers: Makers } {
    if (this.current === undefined) throw new Error("no snapshot of the policy IR has been seen yet");
    return this.current;
  }

  get indexes(): MeshIndexes {
    return this.newest.indexes;
  }

  get makers(): Makers {
    return this.newest.makers;
  }

  get services(): ServiceIndex {
    return this.indexes.services;
  }

  get hostPolicies(): HostPolicyIndex {
    return this.indexes.hostPolicies;
  }

  get extensions(): ExtensionIndex {
    return this.indexes.extensions;
  }

  endpointSet(name: string): EndpointSet | undefined {
    return this.indexes.ir.endpointSets.get(name);
  }

  /** The same list as long as nothing in it changes. @param address as addressKey writes it */
  workloadPorts(address: string): readonly WorkloadPort[] {
    return this.ports.of(address);
  }
}
