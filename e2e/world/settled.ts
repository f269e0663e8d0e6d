import { debugPaths, type NodeView, type StatusView } from "@keelson/model";
import type { Applier } from "./applier.ts";
import type { ControlPlane } from "./control-plane.ts";
import { Hopeless, type UntilOptions, until } from "./until.ts";

export interface SettledOptions extends Pick<UntilOptions, "timeoutMs" | "everyMs"> {
  /** Only a version other than this one will do. */
  readonly otherThan?: string;
}

export async function controlPlaneStatus(controlPlane: ControlPlane): Promise<StatusView> {
  return (await controlPlane.get(debugPaths.status)) as StatusView;
}

/** Resolves with the control plane's version when every one of the appliers has acked it. */
export async function settled(
  controlPlane: ControlPlane,
  appliers: readonly Applier[],
  { otherThan, ...patience }: SettledOptions = {},
): Promise<string> {
  const nodes = appliers.map(({ node }) => node);
  return until(
    async () => {
      for (const applier of appliers) await applier.assertAlive();
      const status = await controlPlaneStatus(controlPlane);
      if (status.version === otherThan) throw new Error(`the control plane still has version ${otherThan}`);
      for (const node of nodes) await assertApplied(node, status);
      return status.version;
    },
    { what: `${nodes.join(", ")} to hold the control plane's version`, ...patience },
  );
}

async function assertApplied(node: string, { version, nodes }: StatusView): Promise<void> {
  const view: NodeView | undefined = nodes.find(({ name }) => name === node);
  if (view === undefined) throw new Error(`${node} is not connected`);
  const [rejection] = Object.entries(view.rejected);
  if (rejection !== undefined) throw new Hopeless(`${node} rejected ${rejection[0]}: ${rejection[1]}`);
  if (view.appliedVersion !== version)
    throw new Error(`${node} holds ${view.appliedVersion}, not yet ${version}`);
}

/** Resolves when the applier knows the cgroups of these workloads ("namespace/pod"), so that their calls are theirs. */
export async function cgroupsFound(applier: Applier, workloads: readonly string[]): Promise<void> {
  await until(
    async () => {
      const { workloadsWithoutCgroup } = await applier.status();
      const missing = workloads.filter((workload) => workloadsWithoutCgroup.includes(workload));
      if (missing.length > 0) throw new Error(`it has not found ${missing.join(", ")}`);
      return true;
    },
    { what: `${applier.node} to find its pods' cgroups` },
  );
}
