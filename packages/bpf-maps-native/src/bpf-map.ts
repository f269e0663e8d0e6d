import type { BpfProgram } from "./bpf-program.ts";
import { handleOf, keepHandle } from "./handles.ts";
import type { MapLayout } from "./layout.ts";
import { batchChunks, walkPiece } from "./map-bytes.ts";
import { type NativeHandle, type NativeMapInfo, native } from "./native.ts";
import { joinPerCpu, splitPerCpu } from "./per-cpu.ts";
import type { MapType } from "./type-names.ts";

/** Write always, only if the key is new (else EEXIST), or only if it is there (else ENOENT). */
export type UpdateMode = "any" | "create" | "replace";

const updateModes = { any: 0, create: 1, replace: 2 } as const;

export interface CreateMapOptions {
  type: MapType;
  /** At most 15 bytes, letters, digits, `_` and `.`. */
  name: string;
  keySize: number;
  /** In bytes; for per-CPU maps the size of one CPU's value. */
  valueSize: number;
  maxEntries: number;
  /** BPF_F_* of the kernel, 0 if left out. */
  flags?: number;
  /** For maps of maps: a map of the shape that all inner maps have. */
  innerMap?: BpfMap;
}

/** What the kernel tells of a map. `valueSize` is one CPU's for per-CPU maps. */
export type MapInfo = Readonly<Omit<NativeMapInfo, "valueBytes">>;

/** Owner of a descriptor of a BPF map. Sizes of keys and values are checked against the kernel's. */
export class BpfMap implements Disposable {
  readonly info: MapInfo;
  readonly #handle: NativeHandle;
  readonly #valueBytes: number;
  /** Elements read in one step of a walk. */
  readonly #piece: number;

  /** Handles come from the addon: use create, openPinned, openById or BpfObject.map. */
  constructor(handle: NativeHandle) {
    this.#handle = handle;
    keepHandle(this, handle);
    const { valueBytes, ...info } = native.mapInfo(handle);
    this.info = info;
    this.#valueBytes = valueBytes;
    this.#piece = walkPiece(info.keySize + valueBytes);
  }

  static create(options: CreateMapOptions): BpfMap {
    return new BpfMap(native.createMap(options, options.innerMap && handleOf(options.innerMap)));
  }

  static openPinned(path: string): BpfMap {
    return new BpfMap(native.openPinnedMap(path));
  }

  static openById(id: number): BpfMap {
    return new BpfMap(native.openMapById(id));
  }

  /** The descriptor's number; it belongs to this object. */
  get fd(): number {
    return native.mapFd(this.#handle);
  }

  /** Types of key and value as the kernel's BTF has them; ENOENT when the map was made without. */
  layout(): MapLayout {
    return native.mapLayout(this.#handle);
  }

  /** The raw value, or undefined. For per-CPU maps the rounded values of all possible CPUs in a row. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    return native.mapLookup(this.#handle, key);
  }

  update(key: Uint8Array, value: Uint8Array, mode: UpdateMode = "any"): void {
    native.mapUpdate(this.#handle, key, value, updateModes[mode]);
  }

  /** Whether the key was there. */
  delete(key: Uint8Array): boolean {
    return native.mapDelete(this.#handle, key);
  }

  /** Looks up and deletes in one step; not every map type can. */
  lookupAndDelete(key: Uint8Array): Uint8Array | undefined {
    return native.mapTake(this.#handle, key);
  }

  /** One value per possible CPU. */
  lookupPerCpu(key: Uint8Array): Uint8Array[] | undefined {
    const row = native.mapLookup(this.#handle, key);
    return row === undefined ? undefined : splitPerCpu(row, this.info.valueSize, native.possibleCpus());
  }

  /** Sets the values of all possible CPUs. */
  updatePerCpu(key: Uint8Array, values: Uint8Array[], mode: UpdateMode = "any"): void {
    this.update(key, joinPerCpu(values, this.info, native.possibleCpus()), mode);
  }

  /** Map of maps: the inner map behind a key. The kernel waits for all readers, so this is off the loop. */
  async setInner(key: Uint8Array, inner: BpfMap): Promise<void> {
    await native.mapSetReference(this.#handle, key, handleOf(inner));
  }

  /** Map of maps: the id of the inner map behind a key, for openById. */
  innerId(key: Uint8Array): number | undefined {
    return this.#referenceId(key);
  }

  /** Program array: the program behind an index, for tail calls. */
  async setProgram(index: Uint8Array, program: BpfProgram): Promise<void> {
    await native.mapSetReference(this.#handle, index, handleOf(program));
  }

  /** Program array: the id of the program behind an index. */
  programId(index: Uint8Array): number | undefined {
    return this.#referenceId(index);
  }

  /** Map of maps or program array: empties a place, off the loop. Whether something was there. */
  async deleteReference(key: Uint8Array): Promise<boolean> {
    return await native.mapDeleteReference(this.#handle, key);
  }

  /** Sockmap or sockhash: stores a socket of this process by its descriptor. */
  setSocket(key: Uint8Array, socketFd: number, mode: UpdateMode = "any"): void {
    native.mapSetSocket(this.#handle, key, socketFd, updateModes[mode]);
  }

  /**
   * Writes many elements, keys and values concatenated, off the loop. Not atomic: after an error the elements
   * before the one named in it are written. The bytes must not change until the promise settles.
   */
  async batchUpdate(keys: Uint8Array, values: Uint8Array, mode: UpdateMode = "any"): Promise<void> {
    const map = native.shareMap(this.#handle); // so that close does not cut the batch off
    try {
      for (const chunk of batchChunks(this.info, keys, this.info.keySize, values, this.#valueBytes)) {
        const { first, total } = chunk;
        await native.mapBatchUpdate(map, first, total, chunk.keys, chunk.values, updateModes[mode]);
      }
    } finally {
      native.close(map);
    }
  }

  /** Deletes many keys, off the loop; missing ones are passed over. The number that was there. */
  async batchDelete(keys: Uint8Array): Promise<number> {
    const map = native.shareMap(this.#handle);
    let deleted = 0;
    try {
      for (const chunk of batchChunks(this.info, keys, this.info.keySize)) {
        deleted += await native.mapBatchDelete(map, chunk.first, chunk.total, chunk.keys);
      }
    } finally {
      native.close(map);
    }
    return deleted;
  }

  /**
   * The whole map, off the loop; elements written or deleted meanwhile may or may not be in it.
   * Per-CPU values: each rounded up to 8 bytes, times possible CPUs.
   */
  async batchLookup(): Promise<{ count: number; keys: Uint8Array; values: Uint8Array }> {
    const { count, keys, values } = await native.mapReadAll(this.#handle, this.#piece);
    return { count, keys, values };
  }

  /** Every element, read in pieces off the loop. Per-CPU values as in batchLookup. */
  async *entries(): AsyncGenerator<{ key: Uint8Array; value: Uint8Array }> {
    const size = this.info.keySize;
    for await (const piece of this.#walk(true)) {
      for (let i = 0; i < piece.count; i++) {
        yield {
          key: piece.keys.subarray(i * size, (i + 1) * size),
          value: piece.values.subarray(i * this.#valueBytes, (i + 1) * this.#valueBytes),
        };
      }
    }
  }

  /** Every key, read in pieces off the loop: also for maps whose values user space cannot read. */
  async *keys(): AsyncGenerator<Uint8Array> {
    const size = this.info.keySize;
    for await (const piece of this.#walk(false)) {
      for (let i = 0; i < piece.count; i++) yield piece.keys.subarray(i * size, (i + 1) * size);
    }
  }

  /** Queue and stack. E2BIG when it is full. */
  push(value: Uint8Array): void {
    native.mapUpdate(this.#handle, undefined, value, updateModes.any);
  }

  /** Queue and stack: the next value, removed; undefined when empty. */
  pop(): Uint8Array | undefined {
    return native.mapTake(this.#handle, undefined);
  }

  /** Queue and stack: the next value, left in place. */
  peek(): Uint8Array | undefined {
    return native.mapLookup(this.#handle, undefined);
  }

  /** From now on user space can only read it; programs still write. Cannot be undone. */
  freeze(): void {
    native.mapFreeze(this.#handle);
  }

  pin(path: string): void {
    native.pin(this.#handle, path);
  }

  /** Operations under way are finished; later ones throw a TypeError. */
  close(): void {
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #referenceId(key: Uint8Array): number | undefined {
    const id = native.mapLookup(this.#handle, key);
    return id === undefined ? undefined : new DataView(id.buffer, id.byteOffset).getUint32(0, true);
  }

  async *#walk(withValues: boolean): AsyncGenerator<{ count: number; keys: Uint8Array; values: Uint8Array }> {
    const walk = native.mapWalk(this.#handle, withValues);
    try {
      for (;;) {
        const piece = await native.mapWalkNext(walk, this.#piece);
        yield piece;
        if (piece.finished) return;
      }
    } finally {
      native.close(walk);
    }
  }
}
