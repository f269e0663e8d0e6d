import { BpfMap } from "bpf-maps-native";

const first = new Uint8Array(4);

/**
 * Waits until all programs have ended that run now. They run as readers of RCU, and the kernel has whoever changes a map of maps
 * wait for all of these (maybe_wait_bpf_programs, since 4.20); this is one that nobody else looks at.
 */
export class GracePeriod {
  private readonly inner: BpfMap;
  private readonly outer: BpfMap;

  constructor() {
    const shape = { keySize: 4, valueSize: 4, maxEntries: 1 };
    this.inner = BpfMap.create({ ...shape, type: "array", name: "grace_inner" });
    this.outer = BpfMap.create({ ...shape, type: "array_of_maps", name: "grace", innerMap: this.inner });
  }

  /** Off the loop. */
  async pass(): Promise<void> {
    await this.outer.setInner(first, this.inner);
  }
}
