import { type CheckGroup, error, type Finding } from "@keelson/bpf-applier/finding";
import { ApiError } from "@keelson/sources";
import { messageOf } from "../../caught.ts";
import type { Phase } from "../report.ts";
import { Cluster } from "./cluster.ts";
import { controlPlanePods, judgeAfter, judgeBefore, locksFinding, ownDeployments } from "./control-planes.ts";
import {
  judgeDefinitions,
  judgeGroups,
  namespacesFinding,
  proxyFinding,
  servedGroups,
  serverFinding,
} from "./inventory.ts";
import { nodesFindings } from "./nodes.ts";
import { installerFindings, readerFinding } from "./permissions.ts";
import { rootFindings } from "./root.ts";
import { webhooksFindings } from "./webhooks.ts";

export interface ClusterCheckOptions {
  /** As findCluster has it. */
  readonly kubeconfig: string;
  /** Where the control plane is, or is to be. */
  readonly namespace: string;
  readonly now: Date;
}

/** Looks at a cluster; nothing of it is changed. */
export async function clusterGroups(phase: Phase, options: ClusterCheckOptions): Promise<CheckGroup[]> {
  let cluster: Cluster;
  let server: Finding;
  try {
    cluster = await Cluster.open(options.kubeconfig);
    server = await serverFinding(cluster);
  } catch (cause) {
    const advice = "kubectl version says whether it is the address, the network or the credentials";
    return [{ title: "cluster", findings: [error("API server", messageOf(cause), advice)] }];
  }
  const { namespace } = options;
  return [
    { title: "cluster", findings: [server, ...(await clusterFindings(cluster, phase, namespace))] },
    { title: "mesh", findings: await meshFindings(cluster, phase, options) },
    ...(phase === "installed"
      ? [
          {
            title: "nodes and certificates",
            findings: [
              ...(await seen("agents", () => nodesFindings(cluster, namespace))),
              ...(await seen("root", () => rootFindings(cluster, options.now))),
            ],
          },
        ]
      : []),
  ];
}

const clusterFindings = async (cluster: Cluster, phase: Phase, namespace: string): Promise<Finding[]> => [
  ...(await seen("API groups", async () => {
    const served = await servedGroups(cluster);
    return [judgeGroups(served), ...judgeDefinitions(served, phase === "installed")];
  })),
  ...(await seen("permissions", async () => [
    ...(phase === "pre" ? await installerFindings(cluster, namespace) : []),
    await readerFinding(cluster, namespace),
  ])),
  ...(await seen("kube-proxy", async () => [await proxyFinding(cluster)])),
];

const meshFindings = async (
  cluster: Cluster,
  phase: Phase,
  { namespace, now }: ClusterCheckOptions,
): Promise<Finding[]> => [
  ...(await seen("control planes", async () => {
    const pods = await controlPlanePods(cluster);
    if (phase === "pre") return [judgeBefore(pods, namespace)];
    return judgeAfter(pods, await ownDeployments(cluster, namespace), namespace);
  })),
  ...(await seen("locks", async () => [await locksFinding(cluster, namespace, now)])),
  ...(await seen("webhooks", () => webhooksFindings(cluster))),
  ...(await seen("namespaces", async () => [await namespacesFinding(cluster)])),
];

/** What may not be looked at, or fails, is a finding, too: the other checks go on. */
async function seen(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 403)
      return [{ check, state: "skipped", found: `this account may not look: ${cause.message}` }];
    return [error(check, messageOf(cause), "look again; if it stays, the API server's own log says more")];
  }
}
