import { ringPoint } from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";
import { pointsIn, type Ring } from "./ring.ts";

/** BPF_F_INNER_MAP: maps behind one map of maps may differ in their size. */
const anySize = 0x1000;

const keyOf = (id: bigint): Uint8Array => new Uint8Array(new BigUint64Array([id]).buffer);

/** The rings that programs read; each is there before a destination names it, and goes once none does any more. */
export class RingMaps {
  private readonly rings: BpfMap;
  private readonly held: Set<bigint>;

  private constructor(rings: BpfMap, held: Set<bigint>) {
    this.rings = rings;
    this.held = held;
  }

  /** Takes over what an earlier applier left. */
  static async adopt(rings: BpfMap): Promise<RingMaps> {
    const held = new Set<bigint>();
    for await (const key of rings.keys()) held.add(Buffer.from(key).readBigUInt64LE());
    return new RingMaps(rings, held);
  }

  /** @throws BpfError if the kernel has no room */
  async add(rings: Iterable<Ring>): Promise<void> {
    for (const ring of rings) {
      if (this.held.has(ring.id)) continue;
      using map = await filled(ring);
      await this.rings.setInner(keyOf(ring.id), map);
      this.held.add(ring.id);
    }
  }

  /** To be called once programs read no version that names another. */
  async keepOnly(rings: Iterable<Ring>): Promise<void> {
    const wanted = new Set(Array.from(rings, ({ id }) => id));
    for (const id of this.held) {
      if (wanted.has(id)) continue;
      await this.rings.deleteReference(keyOf(id));
      this.held.delete(id);
    }
  }
}

async function filled(ring: Ring): Promise<BpfMap> {
  const maxEntries = pointsIn(ring);
  const sizes = { keySize: 4, valueSize: ringPoint.size, maxEntries };
  const map = BpfMap.create({ type: "array", name: "ring", ...sizes, flags: anySize });
  try {
    const keys = Uint32Array.from({ length: maxEntries }, (_, at) => at);
    await map.batchUpdate(new Uint8Array(keys.buffer), ring.points);
    return map;
  } catch (error) {
    map.close();
    throw error;
  }
}
