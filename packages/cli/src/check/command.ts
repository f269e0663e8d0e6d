import { hostname } from "node:os";
import type { CheckGroup } from "@keelson/bpf-applier/finding";
import { isNodeName, runFolder } from "@keelson/model/names";
import { Command } from "commander";
import { type ExitCode, exitCodes, UserError } from "../exit-codes.ts";
import { type OutputFormat, outputOption, print } from "../output/format.ts";
import { clusterGroups } from "./cluster/check-cluster.ts";
import { findCluster } from "./cluster/find-cluster.ts";
import { nodeGroups } from "./node.ts";
import { checkReport, type Phase } from "./report.ts";
import { checkText } from "./text.ts";

interface CheckFlags {
  readonly output: OutputFormat;
  readonly pre?: true;
  readonly node?: true;
  readonly cluster?: true;
  readonly nodeName: string;
  readonly cgroup?: string;
  readonly runDir: string;
  readonly kubeconfig?: string;
  readonly namespace: string;
}

export const checkCommand = (end: (code: ExitCode) => void): Command =>
  new Command("check")
    .summary("look whether a node and a cluster can be installed on, or are as they should be")
    .description(
      `Before an installation (--pre) and after it, looks at
  this node    what the kernel offers, tried out by loading what is needed;
               who else hangs on the same hooks; afterwards the agent, its
               programs and its tables
  the cluster  its API, what this account may do, other control planes,
               webhooks; afterwards the control plane, the agents, the root
               certificate
The node is looked at by root, the cluster if a kubeconfig or a service account
is there; --node and --cluster choose. Nothing is changed. Each line says what
was found, and what to do:
  ok       as it should be
  warning  works, but should be known
  error    does not work until something is done about it
  skipped  could not be looked at from here`,
    )
    .addOption(outputOption())
    .option("--pre", "before anything is installed")
    .option("--node", "look at this node")
    .option("--cluster", "look at the cluster")
    .option(
      "--node-name <name>",
      "name of this node, as in the pods' spec.nodeName",
      process.env["NODE_NAME"] ?? hostname(),
    )
    .option(
      "--cgroup <path>",
      "the cgroup v2 folder below which the kubelet's pods are looked for (default: the agent's, or the mount's root)",
    )
    .option("--run-dir <path>", "where the agent's socket is", runFolder())
    .option("--kubeconfig <path>", "the cluster's (default: as kubectl)")
    .option("-n, --namespace <name>", "where the control plane is, or is to be", "istio-system")
    .addHelpText(
      "after",
      `
Examples:
  sudo keelson check --pre
  keelson check --pre --cluster --kubeconfig ~/.kube/config
  kubectl -n istio-system exec ds/bpf-applier -- keelson check --cgroup /host/cgroup
  keelson check --cluster -o json | jq '.groups[].findings[] | select(.state == "error")'

Exit codes:
  0  no errors; warnings do not count
  1  at least one error
  2  wrong usage`,
    )
    .action(async (flags: CheckFlags) => {
      if (!isNodeName(flags.nodeName)) {
        const wanted = 'lower-case letters, digits, "-" and "."';
        throw new UserError(
          `"${flags.nodeName}" names no node (${wanted}): give it with --node-name`,
          exitCodes.usage,
        );
      }
      const phase: Phase = flags.pre === true ? "pre" : "installed";
      const { looked, groups } = await look(phase, flags);
      const report = checkReport(phase, looked, groups);
      print(report, flags.output, checkText);
      end(report.counts.error === 0 ? exitCodes.ok : exitCodes.failed);
    });

/** What the flags, or else this place, say is to be looked at. */
async function look(phase: Phase, flags: CheckFlags): Promise<{ looked: string[]; groups: CheckGroup[] }> {
  const kubeconfig = findCluster(flags.kubeconfig);
  const chosen = flags.node === true || flags.cluster === true;
  const wantsCluster = chosen ? flags.cluster === true : kubeconfig !== undefined;
  const wantsNode = chosen ? flags.node === true : process.getuid?.() === 0 || !wantsCluster;
  const looked: string[] = [];
  const groups: CheckGroup[] = [];
  if (wantsNode) {
    looked.push(`node ${flags.nodeName}`);
    groups.push(...(await nodeGroups(phase, nodeOptions(flags))));
  }
  if (wantsCluster && kubeconfig !== undefined) {
    looked.push("cluster");
    groups.push(...(await clusterGroups(phase, { kubeconfig, namespace: flags.namespace, now: new Date() })));
  } else if (flags.node !== true) groups.push(noCluster(flags.cluster === true));
  return { looked, groups };
}

const nodeOptions = ({ nodeName, cgroup, runDir }: CheckFlags) => ({
  node: nodeName,
  runFolder: runDir,
  ...(cgroup === undefined ? {} : { cgroup }),
});

/** @param wanted whether it was asked for */
const noCluster = (wanted: boolean): CheckGroup => {
  const found = "no kubeconfig and no service account, so this node alone is looked at";
  const advice = "name a kubeconfig with --kubeconfig";
  return {
    title: "cluster",
    findings: [
      wanted
        ? { check: "API server", state: "error", found: "no kubeconfig and no service account", advice }
        : { check: "API server", state: "skipped", found },
    ],
  };
};
