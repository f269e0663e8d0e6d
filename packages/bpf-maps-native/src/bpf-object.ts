import { basename } from "node:path";
import { BpfMap } from "./bpf-map.ts";
import { BpfProgram } from "./bpf-program.ts";
import { handleOf } from "./handles.ts";
import type { Layout, MapLayout } from "./layout.ts";
import { type NativeHandle, native } from "./native.ts";
import { readOnlyBytes } from "./read-only-data.ts";
import type { AttachType, ProgramType } from "./type-names.ts";

/** An object file with BPF programs and maps: open, configure, load, then take maps and programs out of it. */
export class BpfObject implements Disposable {
  readonly #handle: NativeHandle;

  private constructor(handle: NativeHandle) {
    this.#handle = handle;
  }

  /**
   * Parses a file (off the event loop) or the bytes of one (copied first).
   * `name` is shown in errors and starts the names of the object's data maps; the file's name without it.
   */
  static async open(file: string | Uint8Array, options: { name?: string } = {}): Promise<BpfObject> {
    const name = options.name ?? (typeof file === "string" ? basename(file) : "object");
    return new BpfObject(await native.openObject(file, name, name.split(".")[0] ?? name));
  }

  /**
   * Sets a `const volatile` variable before load, found by name through BTF. Numbers and bigints must fit the
   * variable's size (1, 2, 4 or 8 bytes); bytes must have exactly its size.
   */
  setReadOnlyData(variable: string, value: number | bigint | boolean | Uint8Array): void {
    const size = native.readOnlySize(this.#handle, variable);
    native.setReadOnlyData(this.#handle, variable, readOnlyBytes(variable, size, value));
  }

  /**
   * Before load: the size of a map, an existing map to use in its place (its shape must agree), or the
   * shape of the inner maps of a map of maps.
   */
  configureMap(name: string, options: { maxEntries?: number; reuse?: BpfMap; innerMap?: BpfMap }): void {
    const { maxEntries, reuse, innerMap } = options;
    native.configureMap(
      this.#handle,
      name,
      maxEntries,
      reuse && handleOf(reuse),
      innerMap && handleOf(innerMap),
    );
  }

  /** Before load: whether a program is loaded, and what it is when its section's name does not tell. */
  configureProgram(
    name: string,
    options: { autoload?: boolean; expectedAttachType?: AttachType; type?: ProgramType },
  ): void {
    native.configureProgram(this.#handle, name, options.autoload, options.expectedAttachType, options.type);
  }

  /** Creates the maps and loads the programs, off the event loop. All or nothing, and once. */
  async load(): Promise<void> {
    await native.loadObject(this.#handle);
  }

  mapNames(): string[] {
    return native.mapNames(this.#handle);
  }

  programNames(): string[] {
    return native.programNames(this.#handle);
  }

  /** A map of a loaded object: a handle of its own, to be closed by itself. */
  map(name: string): BpfMap {
    return new BpfMap(native.objectMap(this.#handle, name));
  }

  /** A program of a loaded object: a handle of its own, to be closed by itself. */
  program(name: string): BpfProgram {
    return new BpfProgram(native.objectProgram(this.#handle, name));
  }

  /** Key and value types of a map as the object's BTF declares them. ENOENT for a map without types. */
  mapLayout(name: string): MapLayout {
    return native.objectMapLayout(this.#handle, name);
  }

  /** The layout of a struct of the object by its tag: for inner maps and ring buffer records. */
  structLayout(name: string): Layout {
    return native.objectTypeLayout(this.#handle, name);
  }

  /** Gives up the object. Maps and programs taken out of it stay; a load under way is finished first. */
  close(): void {
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
