import { defaultLegacyMesh } from "@keelson/model";
import type { PolicyIr } from "@keelson/protos";
import type { LegacyMesh } from "@keelson/protos/proxy";
import type { Age } from "./age.ts";
import type { Caller } from "./caller.ts";
import { OutboundClusters } from "./clusters.ts";
import { Directory } from "./directory.ts";
import { Policies } from "./policies.ts";
import { RuleRoutes } from "./rule-routes.ts";

/** What everything is made from, once for a policy IR. */
export interface Sources {
  readonly ir: PolicyIr;
  readonly mesh: LegacyMesh;
  readonly age: Age;
  readonly directory: Directory;
  readonly clusters: OutboundClusters;
  readonly policies: Policies;
  readonly rules: RuleRoutes;
}

/** What everything for one proxy is made from. */
export interface ProxySources extends Sources {
  readonly caller: Caller;
}

export function sourcesOf(ir: PolicyIr, age: Age): Sources {
  const mesh = ir.mesh.legacy ?? defaultLegacyMesh();
  const directory = new Directory(ir);
  const clusters = new OutboundClusters(directory, { age, egressProxy: mesh.egressProxyAddress });
  const policies = new Policies(ir.hostPolicies);
  const findSubset = policies.findSubset.bind(policies);
  const rules = new RuleRoutes({ tables: ir.routeTables, directory, clusters, findSubset });
  return { ir, mesh, age, directory, clusters, policies, rules };
}
