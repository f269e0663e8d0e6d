export { Attachment, type ClsactOptions, detachClsact } from "./attachment.ts";
export { BpfError, type BpfErrorDetails } from "./bpf-error.ts";
export { BpfLink, type LinkInfo } from "./bpf-link.ts";
export { BpfMap, type CreateMapOptions, type MapInfo, type UpdateMode } from "./bpf-map.ts";
export { BpfObject } from "./bpf-object.ts";
export { BpfProgram, type ProgramInfo, type TestRunOptions, type TestRunResult } from "./bpf-program.ts";
export type { CgroupAttachMode } from "./cgroup-mode.ts";
export { type Codec, type CValue, codecOf } from "./codec.ts";
export * from "./descriptor-holder.ts";
export { HangUps, leaveLoop } from "./hang-ups.ts";
export * from "./kernel.ts";
export type * from "./layout.ts";
export * from "./namespace-sockets.ts";
export { iptablesChains, type NetfilterChain, nftChains } from "./netfilter.ts";
export { RingBuffer } from "./ring-buffer.ts";

export { makeSharedMemory, mapSharedMemory } from "./shared-memory.ts";

export { type PumpEnd, SocketPump } from "./socket-pump.ts";

export type { AttachType, LinkType, MapType, ProgramType } from "./type-names.ts";
export { TypedMap, typedMap } from "./typed-map.ts";
