import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { objectPath } from "@keelson/bpf/object";
import {
  type AttachType,
  BpfError,
  BpfLink,
  type BpfMap,
  BpfObject,
  networkCookie,
  probeHelper,
  unpin,
} from "bpf-maps-native";
import type { OuterMaps } from "./banks.ts";
import { exists, loadOntoPins, unpinAll } from "./pinned-maps.ts";
import type { PinFolder } from "./pins.ts";
import type { Cgroup } from "./pods/pod-tree.ts";
import {
  attachRequestPrograms,
  configureRequestPrograms,
  leaveOutRequestPrograms,
  programOf,
  type SocketMode,
  type SocketStatus,
  socketMaps,
  takesRequests,
  whyNoRequestPrograms,
} from "./request-programs.ts";
import { drainQueues } from "./switching/draining.ts";
import { detachSwitching, Switching, switchingPins } from "./switching/switching-programs.ts";

/** The programs that hang on cgroups, and the hook of each; for those of some modes see `programOf`. */
export const hooks = [
  ["keelson_connect4", "cgroup_inet4_connect"],
  ["keelson_connect6", "cgroup_inet6_connect"],
  ["keelson_established", "cgroup_sock_ops"],
  ["keelson_sendmsg4", "cgroup_udp4_sendmsg"],
  ["keelson_sendmsg6", "cgroup_udp6_sendmsg"],
  ["keelson_recvmsg4", "cgroup_udp4_recvmsg"],
  ["keelson_recvmsg6", "cgroup_udp6_recvmsg"],
  ["keelson_getpeername4", "cgroup_inet4_getpeername"],
  ["keelson_getpeername6", "cgroup_inet6_getpeername"],
] as const satisfies readonly (readonly [string, AttachType])[];

/** Maps that outlive an applier; the copies behind maps of maps are pinned beside them (InnerMaps). */
export const pinnedMaps = [
  "active",
  "services",
  "slots",
  "workloads",
  "relays",
  "origins",
  "edges",
  "flows",
  "peers",
  "statistics",
] as const;

/** The maps that the applier works with. */
export interface NodeMaps extends OuterMaps {
  readonly workloads: BpfMap;
  readonly relays: BpfMap;
  readonly edges: BpfMap;
  readonly answers: BpfMap;
  readonly observation: BpfMap;
  readonly records: BpfMap;
  readonly statistics: BpfMap;
}

export interface MapSizes {
  readonly edges?: number;
  readonly flows?: number;
  readonly workloads?: number;
}

/** Under which name the link of a program to a cgroup is pinned. */
export const linkPin = (program: string, cgroupId: bigint): string => `${program}-${cgroupId}`;

/** The loaded object: maps that outlive this process, programs ready to be attached. */
export class Programs {
  readonly maps: NodeMaps;
  readonly sockets: SocketStatus;
  /** Undefined: no program takes requests. */
  readonly switching: Switching | undefined;
  private readonly object: BpfObject;
  /** Pins of the links by which they hang, with the name of the hook's program. */
  private hung: ReadonlyMap<string, string> = new Map();

  private constructor(object: BpfObject, sockets: SocketStatus, switching?: Switching) {
    this.object = object;
    this.sockets = sockets;
    this.switching = switching;
    this.maps = {
      active: object.map("active"),
      services: object.map("services"),
      slots: object.map("slots"),
      workloads: object.map("workloads"),
      relays: object.map("relays"),
      edges: object.map("edges"),
      answers: object.map("answers"),
      observation: object.map("observation"),
      records: object.map("records"),
      statistics: object.map("statistics"),
    };
  }

  /**
   * Loads the programs onto maps that are pinned already, or pins new ones. Where the kernel refuses those on callers'
   * sockets, or those that take requests, the others are loaded without them.
   */
  static async load(pins: PinFolder, sizes: MapSizes = {}, mode: SocketMode = "off"): Promise<Programs> {
    try {
      return await Programs.loadAs({ mode }, pins, sizes);
    } catch (error) {
      const lowerBecause = whyNoRequestPrograms(error);
      if (lowerBecause === undefined) throw error;
      return Programs.loadAs({ mode: "off", lowerBecause }, pins, sizes);
    }
  }

  private static async loadAs(sockets: SocketStatus, pins: PinFolder, sizes: MapSizes): Promise<Programs> {
    const { mode } = sockets;
    const object = await BpfObject.open(objectPath);
    let lowerBecause: string;
    try {
      await loadObject(object, pins, sizes, mode);
      if (!takesRequests(mode)) return new Programs(object, sockets);
      const switching = await loadSwitching(object, pins, mode === "queue");
      if (!("lowerBecause" in switching)) return new Programs(object, sockets, switching);
      lowerBecause = switching.lowerBecause;
    } catch (error) {
      object.close();
      throw error;
    }
    object.close();
    return Programs.loadAs({ mode: "count", lowerBecause }, pins, sizes);
  }

  /**
   * Makes every program hang on each of the cgroups, and on no other. Where an earlier applier's link is pinned, its
   * program is replaced in place, so that no connection slips through in between.
   */
  async attach(pins: PinFolder, cgroups: readonly Cgroup[]): Promise<void> {
    const wanted = new Map<string, string>();
    for (const cgroup of cgroups) {
      for (const [name, attachType] of hooks) {
        const pin = linkPin(name, cgroup.id);
        const own = programOf(name, this.sockets.mode);
        wanted.set(pin, own);
        using program = this.object.program(own);
        using pinned = await pinnedLink(pins.link(pin), cgroup.id);
        if (pinned !== undefined) {
          await pinned.update(program);
        } else {
          using link = await program.attachCgroup(cgroup.path, attachType);
          link.pin(pins.link(pin));
        }
      }
    }
    for (const pin of await pins.links()) if (!wanted.has(pin)) takeOff(pins.link(pin));
    this.hung = wanted;
  }

  /** Whether they hang where they were attached last; not so if somebody has removed or replaced their pins. */
  areInPlace(pins: PinFolder): boolean {
    return [...this.hung].every(([pin, own]) => {
      const path = pins.link(pin);
      if (!existsSync(path)) return false;
      using link = BpfLink.openPinned(path);
      using program = this.object.program(own);
      return link.info.programId === program.info.id;
    });
  }

  /**
   * Removes maps and programs of other layouts, and of a mode that was higher before; once nobody works on them any more. Those
   * with what somebody has not read within 10 s stay until the next agent.
   */
  async leaveOthers(pins: PinFolder): Promise<void> {
    await this.leaveSockets(pins);
    for (const folder of await pins.otherLayouts()) {
      if (await drainQueues(folder)) await rm(folder, { recursive: true });
    }
  }

  /** What takes requests goes first; answers to those that were taken come the relay's way. */
  private async leaveSockets(pins: PinFolder): Promise<void> {
    const { mode } = this.sockets;
    if (mode === "off") {
      if (!(await drainQueues(pins.mapFolder))) return;
      await unpinAll(pins, socketMaps);
    }
    if (mode === "count") {
      using requests = this.object.map("request_programs");
      await detachSwitching(requests);
    }
    if (!takesRequests(mode)) await unpinAll(pins, [...switchingPins]);
  }

  close(): void {
    this.switching?.close();
    for (const map of Object.values(this.maps) as BpfMap[]) map.close();
    this.object.close();
  }
}

async function loadObject(
  object: BpfObject,
  pins: PinFolder,
  sizes: MapSizes,
  mode: SocketMode,
): Promise<void> {
  object.setReadOnlyData("can_set_errno", probeHelper("cgroup_sock_addr", "bpf_set_retval"));
  object.setReadOnlyData("applier_network", networkCookie());
  for (const [map, maxEntries] of Object.entries(sizes)) object.configureMap(map, { maxEntries });
  if (mode === "off") {
    leaveOutRequestPrograms(object);
  } else {
    configureRequestPrograms(object, mode === "queue");
  }
  await loadOntoPins(object, pins, mode === "off" ? pinnedMaps : [...pinnedMaps, ...socketMaps]);
  if (mode !== "off") await attachRequestPrograms(object);
}

/** What the kernel refuses of these programs is no reason to go without the others. */
async function loadSwitching(
  first: BpfObject,
  pins: PinFolder,
  intoQueue: boolean,
): Promise<Switching | { readonly lowerBecause: string }> {
  try {
    return await Switching.load(first, pins, intoQueue);
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { lowerBecause: error.message };
  }
}

/** The pinned link, if it hangs on the cgroup wanted; one whose cgroup is gone is taken away. */
async function pinnedLink(path: string, cgroupId: bigint): Promise<BpfLink | undefined> {
  if (!(await exists(path))) return undefined;
  const link = BpfLink.openPinned(path);
  if (link.info.cgroupId === cgroupId) return link;
  link.close();
  takeOff(path);
  return undefined;
}

function takeOff(pin: string): void {
  using link = BpfLink.openPinned(pin);
  link.detach();
  unpin(pin);
}

/**
 * Takes every program off its hook and removes all pins. Traffic goes where callers dial from then on. What an earlier
 * call left half done is finished.
 */
export async function uninstall(pins: PinFolder): Promise<number> {
  const names = await pins.links();
  for (const name of names) takeOff(pins.link(name));
  for (const folder of [pins.mapFolder, ...(await pins.otherLayouts())]) await drainQueues(folder);
  await pins.remove();
  return names.length;
}
