import type { BpfMap } from "./bpf-map.ts";
import { handleOf } from "./handles.ts";
import { type NativeHandle, native } from "./native.ts";

/**
 * Reads a ring buffer map on the event loop. At most 1,024 records or about 1 MiB per turn of the loop; what
 * is not read in time stays in the kernel's buffer, and programs that find it full lose records.
 */
export class RingBuffer implements Disposable {
  readonly #handle: NativeHandle;
  #closed = false;

  /** What `onRecord` throws becomes an uncaught exception; the records after it are still delivered. */
  constructor(map: BpfMap, onRecord: (record: Uint8Array) => void) {
    if (typeof onRecord !== "function") throw new TypeError("onRecord must be a function");
    this.#handle = native.openRingBuffer(handleOf(map), (content, lengths) => {
      let offset = 0;
      for (const length of lengths) {
        if (this.#closed) return;
        deliver(onRecord, content.subarray(offset, offset + length));
        offset += length;
      }
    });
  }

  /** No longer keeps the process alive. */
  unref(): this {
    native.ringBufferReference(this.#handle, false);
    return this;
  }

  /** Keeps the process alive again. */
  ref(): this {
    native.ringBufferReference(this.#handle, true);
    return this;
  }

  /** No record is delivered afterwards. */
  close(): void {
    this.#closed = true;
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function deliver(onRecord: (record: Uint8Array) => void, record: Uint8Array): void {
  try {
    onRecord(record);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
