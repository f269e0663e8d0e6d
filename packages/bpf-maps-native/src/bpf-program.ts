import { Attachment, type ClsactOptions, clsactFilter } from "./attachment.ts";
import { BpfLink } from "./bpf-link.ts";
import type { BpfMap } from "./bpf-map.ts";
import { type CgroupAttachMode, flagsOfMode } from "./cgroup-mode.ts";
import { handleOf, keepHandle } from "./handles.ts";
import { type NativeHandle, native } from "./native.ts";
import type { AttachType, ProgramType } from "./type-names.ts";

/** What the kernel tells of a loaded program. `verifiedInstructions`: what the verifier walked, 0 before 5.16. */
export interface ProgramInfo {
  readonly id: number;
  readonly name: string;
  readonly type: ProgramType;
  readonly verifiedInstructions: number;
}

export interface TestRunOptions {
  /** The packet, for program types that get one. */
  data?: Uint8Array;
  /** The context struct, for program types that take one. */
  context?: Uint8Array;
  /** How often to run: 1 to 1,000,000, 1 if left out. */
  repeat?: number;
}

export interface TestRunResult {
  returnValue: number;
  /** Mean of one run. */
  durationNs: number;
  /** The packet as the program left it. */
  data: Uint8Array;
  context: Uint8Array;
}

/** Owner of a descriptor of a loaded program. */
export class BpfProgram implements Disposable {
  readonly info: ProgramInfo;
  readonly #handle: NativeHandle;

  /** Handles come from the addon: use openPinned, openById or BpfObject.program. */
  constructor(handle: NativeHandle) {
    this.#handle = handle;
    keepHandle(this, handle);
    this.info = native.programInfo(handle);
  }

  static openPinned(path: string): BpfProgram {
    return new BpfProgram(native.openPinnedProgram(path));
  }

  static openById(id: number): BpfProgram {
    return new BpfProgram(native.openProgramById(id));
  }

  /**
   * Attaches to a cgroup v2 folder by a link, off the loop; sockops programs, too. The attach type is the one
   * the program was loaded with; a program opened by pin or id needs it named.
   */
  async attachCgroup(cgroupPath: string, attachType?: AttachType): Promise<BpfLink> {
    return new BpfLink(await native.attachCgroup(this.#handle, cgroupPath, attachType));
  }

  /**
   * Attaches to a cgroup v2 folder without a link, as tools do that are older than links or want no company, off the loop.
   * @param mode what it lets others do; EPERM where programs in another mode are in the way
   */
  async attachCgroupAs(
    cgroupPath: string,
    mode: CgroupAttachMode,
    attachType?: AttachType,
  ): Promise<Attachment> {
    return new Attachment(
      await native.attachCgroupAs(this.#handle, cgroupPath, flagsOfMode(mode), attachType),
    );
  }

  /**
   * Whether the kernel can attach it to a cgroup by a link, found out without attaching it.
   * @param attachType as for attachCgroup
   */
  probeCgroupLink(attachType?: AttachType): boolean {
    return native.probeCgroupLink(this.#handle, attachType);
  }

  /** Attaches an sk_msg or sk_skb program to a sockmap or sockhash. It reaches only sockets inserted later. */
  async attachSockmap(map: BpfMap, attachType?: AttachType): Promise<Attachment> {
    return new Attachment(await native.attachSockmap(this.#handle, handleOf(map), attachType));
  }

  /** Attaches a sched_cls program to an interface's clsact qdisc, which is made if missing and left in place. */
  async attachClsact(
    interfaceName: string,
    direction: "ingress" | "egress",
    options: ClsactOptions = {},
  ): Promise<Attachment> {
    return new Attachment(
      await native.attachClsact(this.#handle, ...clsactFilter(interfaceName, direction, options)),
    );
  }

  /** Runs the program on given bytes, off the loop. Error 524 (ENOTSUPP) for types that cannot. */
  async testRun(options: TestRunOptions = {}): Promise<TestRunResult> {
    return await native.programTestRun(this.#handle, options.data, options.context, options.repeat ?? 1);
  }

  pin(path: string): void {
    native.pin(this.#handle, path);
  }

  /** What is attached stays attached. */
  close(): void {
    native.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
