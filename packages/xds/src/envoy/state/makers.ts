import type { Resource } from "@keelson/protos";
import type { Mesh } from "@keelson/protos/proxy";
import { ServiceClusters } from "../cluster/service-clusters.ts";
import { Assignments } from "../endpoint/assignments.ts";
import { Interner } from "./interner.ts";

let made = 0;

/** What is made once for all proxies, as long as the mesh's settings stay the same. */
export class Makers {
  /** Tells these settings from others. */
  readonly number: number;
  readonly mesh: Mesh;
  readonly clusters = new ServiceClusters();
  readonly assignments: Assignments;
  readonly listeners = new Interner<Resource>();
  /** Clusters that stand for no service. */
  readonly special = new Interner<Resource>();

  /** @param assignments outlive the settings: endpoints do not depend on them. */
  constructor(mesh: Mesh, assignments: Assignments) {
    this.number = made;
    made += 1;
    this.mesh = mesh;
    this.assignments = assignments;
  }
}
