import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Workload } from "@keelson/protos/policy";
import type { BpfMap } from "bpf-maps-native";
import { identifierOf } from "./identifier.ts";

/** As deep as the kubelet nests pods: kubepods/<qos>/pod<uid>, below at most a few levels of nested nodes. */
const maximumDepth = 8;

/**
 * The pod uid that a cgroup's folder stands for, by the names that the kubelet gives
 * (kubernetes pkg/kubelet/cm/pod_container_manager_linux.go and cgroup_manager_linux.go): "pod<uid>" with the
 * cgroupfs driver, "kubepods-…-pod<uid with _ for ->.slice" with systemd's.
 */
export function podUidOf(folder: string): string | undefined {
  const systemd = /-pod([0-9a-zA-Z_]+)\.slice$/.exec(folder);
  if (systemd?.[1] !== undefined) return systemd[1].replaceAll("_", "-");
  return /^pod([0-9a-zA-Z-]+)$/.exec(folder)?.[1];
}

/** Finds the pods' cgroups at or below `root`. @returns pod uid → cgroup id (the folder's inode number). */
export async function findPodCgroups(root: string, depth = maximumDepth): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const path = join(root, entry.name);
    const uid = podUidOf(entry.name);
    if (uid !== undefined) {
      const inode = await stat(path, { bigint: true }).catch(() => undefined);
      if (inode !== undefined) found.set(uid, inode.ino);
    } else if (depth > 1) {
      for (const [podUid, id] of await findPodCgroups(path, depth - 1)) found.set(podUid, id);
    }
  }
  return found;
}

export const workloadIdentifier = (name: string): bigint => identifierOf("workload", name);

/** Keeps the map from cgroup ids to workloads true. */
export class WorkloadCgroups {
  private readonly map: BpfMap;
  private readonly root: string;

  constructor(map: BpfMap, root: string) {
    this.map = map;
    this.root = root;
  }

  /**
   * Looks for the workloads' cgroups and writes what differs.
   * @returns names of the workloads whose cgroup is not there (yet).
   */
  async update(workloads: Iterable<Workload>): Promise<string[]> {
    const cgroups = await findPodCgroups(this.root);
    const wanted = new Map<bigint, bigint>();
    const missing: string[] = [];
    for (const workload of workloads) {
      const cgroup = cgroups.get(workload.uid);
      if (cgroup === undefined) missing.push(workload.name);
      else wanted.set(cgroup, workloadIdentifier(workload.name));
    }
    await this.write(wanted);
    return missing;
  }

  private async write(wanted: ReadonlyMap<bigint, bigint>): Promise<void> {
    const held = await this.held();
    for (const cgroup of held.keys()) if (!wanted.has(cgroup)) this.map.delete(bytesOf(cgroup));
    for (const [cgroup, workload] of wanted) {
      if (held.get(cgroup) !== workload) this.map.update(bytesOf(cgroup), bytesOf(workload));
    }
  }

  private async held(): Promise<Map<bigint, bigint>> {
    const { count, keys, values } = await this.map.batchLookup();
    const numbers = (bytes: Uint8Array): BigUint64Array => new BigUint64Array(Uint8Array.from(bytes).buffer);
    const [cgroups, workloads] = [numbers(keys), numbers(values)];
    return new Map(Array.from({ length: count }, (_, i) => [cgroups[i] ?? 0n, workloads[i] ?? 0n]));
  }
}

const bytesOf = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);
