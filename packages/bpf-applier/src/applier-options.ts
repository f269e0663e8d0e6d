import type { ChannelCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { MapSizes } from "./programs.ts";
import type { StartRelay } from "./relay/relay.ts";
import type { SocketMode } from "./request-programs.ts";

/** What a node's agent is told when it starts. */
export interface ApplierOptions {
  /** Name of this node, as in the pods' spec.nodeName. */
  readonly node: string;
  /** host:port of the control plane's xDS port. */
  readonly controlPlane: string;
  readonly credentials: ChannelCredentials;
  /** The cgroup v2 folder below which the node's pods are looked for. */
  readonly cgroup: string;
  /** Pods of these Kubernetes namespaces are left alone. */
  readonly excludedNamespaces: readonly string[];
  /** The last good policy is kept here, in a folder named after the node. */
  readonly stateFolder: string;
  /** Time between two reports of counters. */
  readonly reportIntervalMs: number;
  readonly mapSizes?: MapSizes;
  /** Starts what decides each request; undefined: every connection is decided once. */
  readonly relay?: StartRelay;
  /** Its listeners outlive it. */
  readonly relayListenersLast?: boolean;
  /** It goes on for the next agent when this one is closed. */
  readonly relayStays?: boolean;
  /** What is done with callers' sockets, if the kernel and this process's rights allow it. */
  readonly sockets: SocketMode;
  readonly logger: Logger;
}
