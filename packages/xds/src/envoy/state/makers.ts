import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";
import type { Mesh } from "@keelson/protos/proxy";
import { ServiceClusters } from "../cluster/service-clusters.ts";
import type { Assignments } from "../endpoint/assignments.ts";
import { resourceOf } from "../wire.ts";
import { Interner } from "./interner.ts";

let made = 0;

/** What is made once for all proxies, as long as the mesh's settings stay the same. */
export class Makers {
  /** Tells these settings from others. */
  readonly number: number;
  readonly mesh: Mesh;
  readonly clusters = new ServiceClusters();
  readonly assignments: Assignments;
  private readonly others = new Interner<Resource>();

  /** @param assignments outlive the settings: endpoints do not depend on them. */
  constructor(mesh: Mesh, assignments: Assignments) {
    this.number = made;
    made += 1;
    this.mesh = mesh;
    this.assignments = assignments;
  }

  /** @param key tells everything that the message is made from. */
  special<Desc extends DescMessage>(
    key: string,
    schema: Desc,
    name: string,
    make: () => MessageShape<Desc>,
  ): Resource {
    return this.others.get(`${schema.typeName} ${key}`, () => resourceOf(schema, name, make()));
  }
}
