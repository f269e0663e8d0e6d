import type { Statistics } from "./edge-reader.ts";
import type { PolicyStatus } from "./node-policy.ts";
import type { PodStatus } from "./pods/node-pods.ts";
import type { RelayKeeperStatus } from "./relay/relay-keeper.ts";
import type { SocketStatus } from "./request-programs.ts";
import type { SwitchingStatus } from "./switching/switching-status.ts";

/** What a node's agent says of itself. */
export interface ApplierStatus extends PolicyStatus {
  readonly node: string;
  readonly cgroup: string;
  readonly connected: boolean;
  readonly connectionError?: string;
  readonly flips: bigint;
  /** Somebody has removed or replaced the pins of its programs; what else is said here is not so then. */
  readonly displaced?: true;
  /** Folders of all pods that programs hang on, below `cgroup`; none: there is no kubelet (yet). */
  readonly attachedTo: readonly string[];
  /** Why new pods are found only by looking again and again. */
  readonly unwatchedBecause?: string;
  readonly pods: readonly PodStatus[];
  /** Workloads of this node whose cgroup was not found. */
  readonly workloadsWithoutCgroup: readonly string[];
  /** Undefined: the node has none. */
  readonly relay?: RelayKeeperStatus;
  readonly sockets: SocketStatus;
  /** Undefined: programs take no requests. */
  readonly switching?: SwitchingStatus;
  readonly statistics: Statistics;
}
