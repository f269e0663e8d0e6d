import { workloadValue } from "@keelson/bpf";
import type { BpfMap } from "bpf-maps-native";
import { identifierOf } from "../identifier.ts";

/** What programs are told of a pod. */
export interface PodEntry {
  /** See workloadIdentifier. */
  readonly workload: bigint;
  readonly leftAlone: boolean;
}

/** The number that stands for a workload ("namespace/pod") in counters. */
export const workloadIdentifier = (name: string): bigint => identifierOf("workload", name);

/** The map from cgroup ids to pods, of which it knows what the kernel holds. */
export class PodMap {
  private readonly map: BpfMap;
  private readonly held = new Map<bigint, string>();

  private constructor(map: BpfMap) {
    this.map = map;
  }

  /** Takes over what an earlier applier has left in it. */
  static async adopt(map: BpfMap): Promise<PodMap> {
    const adopted = new PodMap(map);
    const { count, keys, values } = await map.batchLookup();
    const { keySize, valueSize } = map.info;
    for (let i = 0; i < count; i++) {
      const key = Buffer.from(keys.subarray(i * keySize, (i + 1) * keySize)).readBigUInt64LE();
      adopted.held.set(key, bytesText(values.subarray(i * valueSize, (i + 1) * valueSize)));
    }
    return adopted;
  }

  /**
   * Makes the map hold what is wanted, by cgroup id; what is so already is left.
   * @throws BpfError if it is full; what was written until then stays.
   */
  write(wanted: ReadonlyMap<bigint, PodEntry>): void {
    for (const cgroup of this.held.keys()) {
      if (wanted.has(cgroup)) continue;
      this.map.delete(keyOf(cgroup));
      this.held.delete(cgroup);
    }
    for (const [cgroup, { workload, leftAlone }] of wanted) {
      const value = workloadValue.encode({ workload, leftAlone: leftAlone ? 1 : 0 });
      if (this.held.get(cgroup) === bytesText(value)) continue;
      this.map.update(keyOf(cgroup), value);
      this.held.set(cgroup, bytesText(value));
    }
  }
}

const bytesText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

const keyOf = (cgroup: bigint): Uint8Array => new Uint8Array(new BigUint64Array([cgroup]).buffer);
