import type { BpfProgram } from "./bpf-program.ts";
import { handleOf } from "./handles.ts";
import { type NativeHandle, type NativeLinkInfo, native } from "./native.ts";

/** What the kernel tells of a link; `cgroupId` is 0 once its cgroup is gone or it was detached. */
export type LinkInfo = Readonly<NativeLinkInfo>;

/** Owner of a descriptor of a link. Without a pin the attachment ends with its last descriptor. */
export class BpfLink implements Disposable {
  readonly #handle: NativeHandle;

  /** Handles come from the addon: use openPinned, openById or BpfProgram.attachCgroup. */
  constructor(handle: NativeHandle) {
    this.#handle = handle;
  }

  static openPinned(path: string): BpfLink {
    return new BpfLink(native.openPinnedLink(path));
  }

  static openById(id: number): BpfLink {
    return new BpfLink(native.openLinkById(id));
  }

  /** Asked of the kernel anew at each access. */
  get info(): LinkInfo {
    return native.linkInfo(this.#handle);
  }

  /** Puts another program in place, atomically, off the loop. */
  async update(program: BpfProgram): Promise<void> {
    await native.linkUpdate(this.#handle, handleOf(program));
  }

  /** Detaches although descriptors and pins are left. */
  detach(): void {
    native.linkDetach(this.#handle);
  }

  pin(path: string): void {
    native.pin(this.#handle, path);
  }

  close(): void {
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
