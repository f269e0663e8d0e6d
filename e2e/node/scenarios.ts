// What a node's agent does for the kubelet's pods, on any kernel.
import assert from "node:assert/strict";
import type { PodDetails } from "../world/objects.ts";
import { comeAndGo } from "./come-and-go.ts";
import { leavesHostNetworkAlone } from "./host-network.ts";
import { type KubeletLayout, layoutAt, layouts } from "./layouts.ts";
import { lettingGoScenarios } from "./letting-go.ts";
import { excludedNamespace, type NodeWorld } from "./node-world.ts";

export interface NodeScale {
  /** How many times pods come and go at once, and how often each. */
  readonly lanes: number;
  readonly rounds: number;
  /** How often the agent's start and an uninstall are cut short, each time at another moment. */
  readonly crashes: number;
  /** Nobody else on this machine makes programs meanwhile, so that all of the kernel's lists must be as they were. */
  readonly alone: boolean;
}

export interface NodeScenario {
  readonly name: string;
  run(node: NodeWorld, scale: NodeScale): Promise<void>;
}

/** Why pods are left alone, and what is said of it. */
const leftAlone: readonly { readonly name: string; readonly details: PodDetails; readonly why: RegExp }[] = [
  { name: "excluded", details: { namespace: excludedNamespace }, why: /^its namespace outside is excluded$/ },
  {
    name: "opted-out",
    details: { labels: { "istio.io/dataplane-mode": "none" } },
    why: /istio\.io\/dataplane-mode/,
  },
  { name: "with-sidecar", details: { annotations: { "sidecar.istio.io/status": "{}" } }, why: /sidecar/ },
];

export const nodeScenarios: readonly NodeScenario[] = [
  {
    name: "a pod of any layout is decided for from its first connection, though nobody has told of it, and then by name",
    async run(node) {
      await Promise.all(layouts.map((layout, i) => followsRules(node, layout, `first-${i}`)));
    },
  },
  {
    name: "excluded pods are left alone from their first connection, and it is said why",
    async run(node) {
      for (const [i, { name, details, why }] of leftAlone.entries()) {
        const layout = layoutAt(i);
        // The kubelet's order: the object, the cgroup, and only then what runs in it.
        const pod = await node.addPod({ name, layout, details, cgroupLater: true });
        await node.tell(pod, layout, details);
        await node.untilTold(pod, details.namespace);
        await node.world.makePodCgroup(pod);
        await node.untilPod(pod, (status) => status?.decided === false && why.test(status.why));
        await node.assertUntouched(pod);
        await node.removePod(pod, true);
      }
    },
  },
  {
    name: "a pod that shares its node's network is left alone, told of or not",
    run: leavesHostNetworkAlone,
  },
  {
    name: "pods come and go under load: each follows the rules or is left alone, and nothing of them is kept",
    run: comeAndGo,
  },
  {
    name: "pods that came while the agent was away are decided for at once, and found at its start",
    async run(node) {
      const layout = layoutAt(0);
      await node.applier.stop();
      const pod = await node.addPod({ name: "meanwhile", layout });
      const excluded = await node.addPod({ name: "meanwhile-out", layout });
      await node.assertDecided(pod);
      await node.tell(pod, layout);
      await node.tell(excluded, layout, { namespace: excludedNamespace });
      await node.startApplier();
      await node.untilPod(pod, (status) => status?.name === "default/meanwhile" && status.decided);
      await node.untilPod(excluded, (status) => status?.decided === false);
      await node.assertDecided(pod);
      await node.assertUntouched(excluded);
      await node.removePod(pod, true);
      await node.removePod(excluded, true);
    },
  },
  ...lettingGoScenarios,
];

async function followsRules(node: NodeWorld, layout: KubeletLayout, name: string): Promise<void> {
  const pod = await node.addPod({ name, layout });
  await node.assertDecided(pod);
  await node.tell(pod, layout);
  await node.untilPod(pod, (status) => status?.name === `default/${name}` && status.decided);
  await node.assertDecided(pod, 5);
  const edges = await node.reviews.edges();
  const own = edges.filter(({ source }) => source === `default/${name}`);
  const connections = own.reduce((sum, edge) => sum + edge.connections, 0n);
  assert.equal(connections, 5n, `${layout.name}: connections that are the pod's by name`);
  await node.removePod(pod, true);
  await node.untilPod(pod, (status) => status === undefined);
}
