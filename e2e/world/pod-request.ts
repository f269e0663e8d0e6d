import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { WorldNames } from "./names.ts";
import { podAddresses } from "./network.ts";
import { Pod } from "./pod.ts";

export interface PodRequest {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The node's number, from 1, which is the default. */
  readonly node?: number;
  /** As the kubelet knows it; random by default. */
  readonly uid?: string;
  /** Paths of its cgroups below the node's, by its uid: kubepods/pod<uid>, which its programs are in, by default. */
  readonly cgroups?: (uid: string) => PodCgroups;
  /** The network of this machine instead of one of its own: nothing may be dialled but loopback addresses. */
  readonly hostNetwork?: boolean;
  /** The cgroup is made by `makePodCgroup`. */
  readonly cgroupLater?: boolean;
}

/** Of a pod and of its container; the programs are in the container's. */
export interface PodCgroups {
  readonly pod: string;
  readonly container: string;
}

/** @param index of the pod in its world, from 1 on; its addresses come from it */
export function podOf(request: PodRequest, index: number, names: WorldNames, nodeCgroup: string): Pod {
  const { name, labels = {}, node = 1, uid = randomUUID(), cgroups = plainCgroups, hostNetwork } = request;
  const { pod, container } = cgroups(uid);
  return new Pod(
    { name, uid, labels, node: names.node(node), ...podAddresses(index) },
    {
      namespace: names.podNamespace(name),
      ...(hostNetwork === true ? { hostNetwork } : {}),
      cgroup: join(nodeCgroup, container),
      podCgroup: join(nodeCgroup, pod),
      index,
      logFolder: join(names.folder, "logs"),
    },
  );
}

/** As the kubelet names a guaranteed pod with the cgroupfs driver. */
const plainCgroups = (uid: string): PodCgroups => ({
  pod: `kubepods/pod${uid}`,
  container: `kubepods/pod${uid}`,
});
