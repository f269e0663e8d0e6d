import { closeSync, fstatSync, openSync } from "node:fs";
import { networkCookie } from "bpf-maps-native";
import type { RelayNetwork } from "../relay/relay.ts";
import { ownNetworkNamespaces, processesOf } from "./network-namespace.ts";
import type { PodCgroup } from "./pod-tree.ts";

/** A network namespace that is held open, so that it can be entered as long as it is told of. */
interface OpenNetwork extends RelayNetwork {
  readonly inode: bigint;
  readonly fd: number;
}

interface LookedAt {
  readonly path: string;
  readonly since: number;
  nextLook: number;
  network: OpenNetwork | undefined;
}

/**
 * How often a pod is looked at. Its cgroup is made before its network, whose first process comes long before its containers:
 * they are to find the relay there. A network changes when the kubelet makes a pod's sandbox anew.
 */
const newPodMs = 50;
const isNewForMs = 60_000;
const knownPodMs = 2_000;

/** Which network namespaces the pods of a node have, found by their processes. */
export class PodNetworks {
  private readonly onChange: (networks: ReadonlyMap<bigint, RelayNetwork>) => Promise<void>;
  private readonly onError: (error: Error) => void;
  /** By id of the pod's cgroup. */
  private readonly pods = new Map<bigint, LookedAt>();
  private told: ReadonlySet<bigint> = new Set();
  private timer: NodeJS.Timeout | undefined;
  private lastError = "";

  /** @param onChange told of all networks, by cookie, when they are others; one that is gone is closed once it resolves */
  constructor(
    onChange: (networks: ReadonlyMap<bigint, RelayNetwork>) => Promise<void>,
    onError: (error: Error) => void,
  ) {
    this.onChange = onChange;
    this.onError = onError;
  }

  /** Takes over which pods there are whose networks are looked for. */
  update(pods: Iterable<PodCgroup>): void {
    const wanted = new Map(Array.from(pods, ({ id, path }) => [id, path]));
    const closed = [...this.pods].flatMap(([id, { network }]) => {
      if (wanted.has(id)) return [];
      this.pods.delete(id);
      return network === undefined ? [] : [network];
    });
    const now = performance.now();
    for (const [id, path] of wanted)
      if (!this.pods.has(id)) this.pods.set(id, { path, since: now, nextLook: now, network: undefined });
    this.look(closed);
  }

  stop(): void {
    clearTimeout(this.timer);
    for (const { network } of this.pods.values()) if (network !== undefined) closeSync(network.fd);
    this.pods.clear();
  }

  /** @param closed networks that pods had before */
  private look(closed: OpenNetwork[] = []): void {
    clearTimeout(this.timer);
    const own = ownNetworkNamespaces();
    const now = performance.now();
    for (const pod of this.pods.values()) {
      if (pod.nextLook > now) continue;
      try {
        const before = pod.network;
        pod.network = lookAt(pod, own);
        if (before !== undefined && before !== pod.network) closed.push(before);
      } catch (error) {
        this.report(error as Error);
      }
      const isNew = pod.network === undefined && now - pod.since < isNewForMs;
      pod.nextLook = now + (isNew ? newPodMs : knownPodMs);
    }
    this.tell(closed);
    if (this.pods.size === 0) return;
    const next = Math.min(...Array.from(this.pods.values(), ({ nextLook }) => nextLook));
    this.timer = setTimeout(() => this.look(), Math.max(1, next - performance.now())).unref();
  }

  private tell(closed: readonly OpenNetwork[]): void {
    const networks = new Map<bigint, RelayNetwork>();
    for (const { network } of this.pods.values())
      if (network !== undefined && !networks.has(network.cookie)) networks.set(network.cookie, network);
    const isSame =
      networks.size === this.told.size && [...networks.keys()].every((one) => this.told.has(one));
    if (isSame && closed.length === 0) return;
    this.told = new Set(networks.keys());
    this.onChange(networks)
      .catch((error: Error) => this.report(error))
      .finally(() => {
        for (const { fd } of closed) closeSync(fd);
      });
  }

  /** Once for each reason: it is looked again and again, by other descriptors each time, which the message names. */
  private report(error: Error & { readonly code?: string }): void {
    const reason = error.code ?? error.message;
    if (reason === this.lastError) return;
    this.lastError = reason;
    const isRefused = reason === "EPERM" || reason === "EACCES";
    this.onError(isRefused ? new Error(`${error.message}; ${neededRights}`, { cause: error }) : error);
  }
}

const neededRights =
  "a relay needs CAP_SYS_ADMIN and CAP_SYS_PTRACE (with --relay=none nothing of this is needed)";

/** The network that a pod is found to have, which may be the one it had. @throws Error if it cannot be entered */
function lookAt({ path, network }: LookedAt, own: ReadonlySet<bigint>): OpenNetwork | undefined {
  let refusal: unknown;
  for (const process of processesOf(path)) {
    try {
      const found = networkOf(process, own, network);
      if (found !== undefined) return found;
    } catch (error) {
      refusal = error;
    }
  }
  if (refusal !== undefined) throw refusal;
  // Between two sandboxes there is no process, and the network is as good as before until there is another.
  return network;
}

/** @returns undefined if the process has ended, or is on its way into its pod's network. */
function networkOf(
  process: number,
  own: ReadonlySet<bigint>,
  known: OpenNetwork | undefined,
): OpenNetwork | undefined {
  const fd = openNamespace(process);
  if (fd === undefined) return undefined;
  let isKept = false;
  try {
    const inode = fstatSync(fd, { bigint: true }).ino;
    if (own.has(inode)) return undefined;
    if (known?.inode === inode) return known;
    const path = `/proc/${globalThis.process.pid}/fd/${fd}`;
    const found = { inode, fd, path, cookie: networkCookie(path) };
    isKept = true;
    return found;
  } finally {
    if (!isKept) closeSync(fd);
  }
}

/** @returns undefined if the process has ended. */
function openNamespace(process: number): number | undefined {
  try {
    return openSync(`/proc/${process}/ns/net`, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
