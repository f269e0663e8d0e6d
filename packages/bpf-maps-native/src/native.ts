import { createRequire } from "node:module";
import { BpfError } from "./bpf-error.ts";
import type { Layout, MapLayout } from "./layout.ts";
import type { AttachType, LinkType, MapType, ProgramType } from "./type-names.ts";

/** A thing owned by the addon; gives up its descriptor on `close`. */
export interface NativeHandle {
  readonly native: unique symbol;
}

type Bytes = Uint8Array;

export interface NativeMapInfo {
  id: number;
  name: string;
  type: MapType;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  valueBytes: number;
}

export interface NativeLinkInfo {
  id: number;
  type: LinkType;
  programId: number;
  cgroupId?: bigint;
  attachType?: AttachType;
}

export interface NativeChain {
  family: number;
  table: string;
  chain: string;
}

/** The addon's functions, as native/*.cc exports them. */
interface Native {
  setErrorClass(errorClass: typeof BpfError): void;
  close(handle: NativeHandle): void;
  typeNames(): { map: string[]; program: string[]; attach: string[]; link: string[] };
  pin(handle: NativeHandle, path: string): void;
  unpin(path: string): boolean;
  mountBpffs(path: string): boolean;
  lockDescriptor(fd: number): boolean;

  openObject(source: string | Bytes, name: string, objectName: string): Promise<NativeHandle>;
  loadObject(object: NativeHandle): Promise<void>;
  mapNames(object: NativeHandle): string[];
  programNames(object: NativeHandle): string[];
  objectMap(object: NativeHandle, name: string): NativeHandle;
  objectProgram(object: NativeHandle, name: string): NativeHandle;
  configureMap(
    object: NativeHandle,
    name: string,
    maxEntries?: number,
    reuse?: NativeHandle,
    innerMap?: NativeHandle,
  ): void;
  configureProgram(
    object: NativeHandle,
    name: string,
    autoload?: boolean,
    expectedAttachType?: AttachType,
    type?: ProgramType,
  ): void;
  setReadOnlyData(object: NativeHandle, variable: string, value: Bytes): void;
  readOnlySize(object: NativeHandle, variable: string): number;
  objectMapLayout(object: NativeHandle, name: string): MapLayout;
  objectTypeLayout(object: NativeHandle, name: string): Layout;

  createMap(options: object, innerMap?: NativeHandle): NativeHandle;
  openPinnedMap(path: string): NativeHandle;
  openMapById(id: number): NativeHandle;
  shareMap(map: NativeHandle): NativeHandle;
  mapInfo(map: NativeHandle): NativeMapInfo;
  mapFd(map: NativeHandle): number;
  mapLayout(map: NativeHandle): MapLayout;
  mapLookup(map: NativeHandle, key: Bytes | undefined): Bytes | undefined;
  mapTake(map: NativeHandle, key: Bytes | undefined): Bytes | undefined;
  mapUpdate(map: NativeHandle, key: Bytes | undefined, value: Bytes, mode: number): void;
  mapDelete(map: NativeHandle, key: Bytes): boolean;
  mapFreeze(map: NativeHandle): void;
  mapBatchUpdate(
    map: NativeHandle,
    first: number,
    total: number,
    keys: Bytes,
    values: Bytes,
    mode: number,
  ): Promise<void>;
  mapBatchDelete(map: NativeHandle, first: number, total: number, keys: Bytes): Promise<number>;
  mapWalk(map: NativeHandle, withValues: boolean): NativeHandle;
  mapWalkNext(
    walk: NativeHandle,
    count: number,
  ): Promise<{ count: number; keys: Bytes; values: Bytes; finished: boolean }>;
  mapReadAll(
    map: NativeHandle,
    elementsPerStep: number,
  ): Promise<{ count: number; keys: Bytes; values: Bytes }>;
  mapSetReference(map: NativeHandle, key: Bytes, target: NativeHandle): Promise<void>;
  mapDeleteReference(map: NativeHandle, key: Bytes): Promise<boolean>;
  mapSetSocket(map: NativeHandle, key: Bytes, socket: number, mode: number): void;

  openPinnedProgram(path: string): NativeHandle;
  openProgramById(id: number): NativeHandle;
  programIds(): number[];
  programInfo(program: NativeHandle): {
    id: number;
    name: string;
    type: ProgramType;
    verifiedInstructions: number;
  };
  programTestRun(
    program: NativeHandle,
    data: Bytes | undefined,
    context: Bytes | undefined,
    repeat: number,
  ): Promise<{ returnValue: number; durationNs: number; data: Bytes; context: Bytes }>;
  attachCgroup(program: NativeHandle, cgroupPath: string, type?: AttachType): Promise<NativeHandle>;
  attachCgroupAs(
    program: NativeHandle,
    cgroupPath: string,
    flags: number,
    type?: AttachType,
  ): Promise<NativeHandle>;
  cgroupPrograms(cgroupPath: string, type: AttachType, effective?: boolean): { ids: number[]; flags: number };
  probeCgroupLink(program: NativeHandle, type?: AttachType): boolean;
  attachSockmap(program: NativeHandle, map: NativeHandle, type?: AttachType): Promise<NativeHandle>;
  attachClsact(program: NativeHandle, ...filter: NativeFilter): Promise<NativeHandle>;
  detachClsact(...filter: NativeFilter): Promise<void>;
  detach(attachment: NativeHandle): Promise<void>;

  openPinnedLink(path: string): NativeHandle;
  openLinkById(id: number): NativeHandle;
  linkInfo(link: NativeHandle): NativeLinkInfo;
  linkUpdate(link: NativeHandle, program: NativeHandle): Promise<void>;
  linkDetach(link: NativeHandle): void;

  openRingBuffer(map: NativeHandle, onRecords: (content: Bytes, lengths: Uint32Array) => void): NativeHandle;
  ringBufferReference(ring: NativeHandle, alive: boolean): void;

  socketConnect(
    netnsPath: string | undefined,
    address: string,
    port: number,
    source?: string,
  ): Promise<NativeHandle>;
  socketListen(
    netnsPath: string | undefined,
    address: string,
    port: number,
    backlog: number,
  ): Promise<NativeHandle>;
  socketDatagram(netnsPath: string | undefined, address: string, port: number): Promise<NativeHandle>;
  waitWritable(socket: NativeHandle, onWritable: () => void): NativeHandle;
  socketConnected(socket: NativeHandle): void;
  socketTake(socket: NativeHandle): number;
  startPump(
    from: number,
    to: number,
    length: number,
    onEnd: (moved: number, end: number, errno: number, more: boolean) => void,
  ): NativeHandle;
  pumpMoved(pump: NativeHandle): number;
  leaveLoop(fd: number): void;
  openHangUps(onHangUps: (cookies: BigUint64Array) => void): NativeHandle;
  addHangUp(watch: NativeHandle, fd: number, cookie: bigint): void;
  deleteHangUp(watch: NativeHandle, fd: number): void;
  descriptorOf(processId: number, fd: number): number;
  networkCookie(netnsPath: string | undefined): bigint;
  socketCookie(socketFd: number): bigint;
  setSendBuffer(socketFd: number, bytes: number): void;

  holderConnect(path: string): NativeHandle;
  holderSend(
    holder: NativeHandle,
    say: number,
    kind: number,
    number: number,
    note?: string,
    fd?: number,
  ): void;
  holderReceive(holder: NativeHandle): Promise<{ kind: number; number: number; note: string; fd: number }[]>;
  makeMemory(name: string, size: number): number;
  mapMemory(fd: number, size: number): ArrayBuffer;
  tcpCounts(fd: number): { read: number; unread: number; written: number } | undefined;

  probeHelper(programType: ProgramType, helper: string): boolean;
  probeProgramType(type: ProgramType): boolean;
  probeMapType(type: MapType): boolean;
  possibleCpus(): number;
  nftChains(): Promise<NativeChain[]>;
  iptablesChains(family: "ip" | "ip6", table: string): Promise<string[]>;
  mapIds(): number[];
  linkIds(): number[];
}

/** Interface, direction, netnsPath, handle, priority, replace. */
export type NativeFilter = [
  interfaceName: string,
  direction: "ingress" | "egress",
  netnsPath: string | undefined,
  handle: number | undefined,
  priority: number | undefined,
  replace: boolean,
];

function load(): Native {
  // The same path from src/ (tests) and dist/ (users).
  const native: Native = createRequire(import.meta.url)("../build/bpf_maps_native.node");
  native.setErrorClass(BpfError);
  return native;
}

/** The addon, built by build-native.mjs. */
export const native: Native = load();
