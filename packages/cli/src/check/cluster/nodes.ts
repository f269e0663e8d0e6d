import { error, type Finding, ok, skipped, warning } from "@keelson/bpf-applier/finding";
import { z } from "zod";
import type { Cluster } from "./cluster.ts";

const daemonSet = z.object({
  metadata: z.object({ generation: z.number().optional() }),
  status: z.object({
    desiredNumberScheduled: z.number().default(0),
    numberReady: z.number().default(0),
    updatedNumberScheduled: z.number().default(0),
    observedGeneration: z.number().optional(),
  }),
});
export type AgentsFacts = z.output<typeof daemonSet>;

/** The agents of all nodes, by what Kubernetes counts of their DaemonSet. */
export async function nodesFindings(cluster: Cluster, namespace: string): Promise<Finding[]> {
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets/bpf-applier`;
  return [judgeAgents(await cluster.get(path, daemonSet), namespace)];
}

export function judgeAgents(agents: AgentsFacts | undefined, namespace: string): Finding {
  const check = "agents";
  if (agents === undefined)
    return skipped(check, `no DaemonSet ${namespace}/bpf-applier: no node routes in the kernel`);
  const { metadata, status } = agents;
  const { desiredNumberScheduled: desired, numberReady: ready, updatedNumberScheduled: updated } = status;
  if (status.observedGeneration !== metadata.generation)
    return warning(check, "Kubernetes has not taken up the DaemonSet's last change", "look again");
  const found = `${ready} of ${desired} ready, ${updated} of this version`;
  if (ready < desired) {
    const advice = `kubectl -n ${namespace} get pods -l app=bpf-applier -o wide shows which; keelson check in its pod says why`;
    return error(check, found, advice);
  }
  return updated < desired ? warning(check, found, "wait until the rollout is over") : ok(check, found);
}
