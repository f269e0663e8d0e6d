import { PinFolder } from "@keelson/bpf-applier";
import { BpfMap } from "bpf-maps-native";

/** Time between two looks, in ms: short against what is measured, long against what a look costs. */
const lookEveryMs = 0.2;

const firstIndex = new Uint8Array(4);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** The tables that a node's programs read now, watched from outside through the node's pinned maps. */
export class LiveTables implements Disposable {
  private readonly active: BpfMap;
  private readonly slots: BpfMap;

  private constructor(active: BpfMap, slots: BpfMap) {
    this.active = active;
    this.slots = slots;
  }

  static async open(node: string): Promise<LiveTables> {
    const pins = await PinFolder.find(node);
    return new LiveTables(BpfMap.openPinned(pins.map("active")), BpfMap.openPinned(pins.map("slots")));
  }

  /** Changes at the moment at which programs begin to read another version, and never else. */
  get flip(): number {
    return this.active.innerId(firstIndex) ?? 0;
  }

  /** Sizes of key and value of the table of endpoints. */
  slotShape(): { keySize: number; valueSize: number } {
    const id = this.slots.innerId(firstIndex);
    if (id === undefined) throw new Error("the node's map of slots has no first bank");
    using bank = BpfMap.openById(id);
    const { keySize, valueSize } = bank.info;
    return { keySize, valueSize };
  }

  /**
   * Waits until the flip is another one than `before`. It holds up this process's event loop, so that nothing else in
   * it delays the look.
   * @returns by performance.now; late by `lookEveryMs` and a timer's slack at most.
   * @throws Error after `timeoutMs`.
   */
  waitForFlip(before: number, timeoutMs = 30_000): number {
    const end = performance.now() + timeoutMs;
    while (this.flip === before) {
      if (performance.now() > end)
        throw new Error(`the node's tables have not changed for ${timeoutMs / 1000} s`);
      Atomics.wait(sleeper, 0, 0, lookEveryMs);
    }
    return performance.now();
  }

  [Symbol.dispose](): void {
    this.active.close();
    this.slots.close();
  }
}
