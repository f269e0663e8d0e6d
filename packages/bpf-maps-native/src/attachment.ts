import { type NativeFilter, type NativeHandle, native } from "./native.ts";

export interface ClsactOptions {
  /** Where the interface is: "/proc/123/ns/net", "/run/netns/x". This process's own without it. */
  netnsPath?: string;
  /** Together with the handle the filter's name; chosen by the kernel without them. */
  priority?: number;
  handle?: number;
  /** Take the place of the filter with this priority and handle. */
  replace?: boolean;
}

/**
 * An attachment that is no link. The kernel keeps it when it is closed or the process ends: on clsact until it is
 * detached, on a sockmap or sockhash as long as anyone has the map open or pinned, on a
 * cgroup as long as that is there.
 */
export class Attachment implements AsyncDisposable {
  readonly #handle: NativeHandle;
  #closed = false;

  /** Handles come from the addon: use BpfProgram.attachSockmap, attachClsact or attachCgroupAs. */
  constructor(handle: NativeHandle) {
    this.#handle = handle;
  }

  /** Takes the program off again, off the loop. Nothing happens if its network namespace is gone. */
  async detach(): Promise<void> {
    await native.detach(this.#handle);
    this.close();
  }

  /** Gives up the handle and leaves the program attached. */
  close(): void {
    this.#closed = true;
    native.close(this.#handle);
  }

  /** Detaches, unless that was done or the handle was given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.detach();
  }
}

/** Removes a clsact filter by its priority and handle, whichever process attached it. */
export async function detachClsact(
  interfaceName: string,
  direction: "ingress" | "egress",
  options: { netnsPath?: string; priority: number; handle: number },
): Promise<void> {
  await native.detachClsact(...clsactFilter(interfaceName, direction, options));
}

/** The addon's arguments for a filter. */
export function clsactFilter(
  interfaceName: string,
  direction: "ingress" | "egress",
  options: ClsactOptions,
): NativeFilter {
  return [
    interfaceName,
    direction,
    options.netnsPath,
    options.handle,
    options.priority,
    options.replace ?? false,
  ];
}
