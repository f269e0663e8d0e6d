import type { BpfMap, UpdateMode } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { type Codec, type CValue, codecOf } from "./codec.ts";
import type { MapLayout } from "./layout.ts";
import { joinBytes } from "./map-bytes.ts";

/** A map with keys and values of C types. It borrows the map: whoever opened that closes it. */
export class TypedMap<K extends CValue, V extends CValue> {
  readonly map: BpfMap;
  readonly #key: Codec;
  readonly #value: Codec;

  constructor(map: BpfMap, layout: MapLayout) {
    if (layout.key === undefined) throw new TypeError(`map ${map.info.name} has no keys`);
    this.map = map;
    this.#key = codecOf(layout.key);
    this.#value = codecOf(layout.value);
    if (this.#key.size !== map.info.keySize || this.#value.size !== map.info.valueSize) {
      throw new TypeError(
        `map ${map.info.name} has keys of ${String(map.info.keySize)} and values of ${String(map.info.valueSize)} bytes, ` +
          `the types have ${String(this.#key.size)} and ${String(this.#value.size)}`,
      );
    }
  }

  get(key: K): V | undefined {
    const value = this.map.lookup(this.#key.encode(key));
    return value === undefined ? undefined : this.#decodeValue(value);
  }

  /** Per-CPU maps: one value per possible CPU. */
  getPerCpu(key: K): V[] | undefined {
    return this.map.lookupPerCpu(this.#key.encode(key))?.map((value) => this.#decodeValue(value));
  }

  set(key: K, value: V, mode: UpdateMode = "any"): void {
    this.map.update(this.#key.encode(key), this.#value.encode(value), mode);
  }

  /** Per-CPU maps: sets the values of all possible CPUs. */
  setPerCpu(key: K, values: V[]): void {
    this.map.updatePerCpu(
      this.#key.encode(key),
      values.map((value) => this.#value.encode(value)),
    );
  }

  delete(key: K): boolean {
    return this.map.delete(this.#key.encode(key));
  }

  /** All elements; not for per-CPU maps. */
  async *entries(): AsyncGenerator<[K, V]> {
    for await (const { key, value } of this.map.entries()) {
      yield [this.#decodeKey(key), this.#decodeValue(value)];
    }
  }

  /** Writes many elements off the loop; not for per-CPU maps. */
  async setMany(elements: Iterable<readonly [K, V]>, mode: UpdateMode = "any"): Promise<void> {
    const all = [...elements];
    const keys = joinBytes(all.map(([key]) => this.#key.encode(key)));
    const values = joinBytes(all.map(([, value]) => this.#value.encode(value)));
    await this.map.batchUpdate(keys, values, mode);
  }

  #decodeKey(bytes: Uint8Array): K {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller's promise about the map
    return this.#key.decode(bytes) as K;
  }

  #decodeValue(bytes: Uint8Array): V {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller's promise about the map
    return this.#value.decode(bytes) as V;
  }
}

/**
 * A map with keys and values typed by BTF: of the object it comes from, of a layout at hand, or (without a
 * source) as the kernel holds it.
 */
export function typedMap<K extends CValue = CValue, V extends CValue = CValue>(
  map: BpfMap,
  source: BpfObject | MapLayout = map.layout(),
): TypedMap<K, V> {
  return new TypedMap<K, V>(map, source instanceof BpfObject ? source.mapLayout(map.info.name) : source);
}
