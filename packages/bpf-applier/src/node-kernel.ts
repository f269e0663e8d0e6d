import { BpfError } from "bpf-maps-native";
import type { ApplierOptions } from "./applier-options.ts";
import { Banks } from "./banks.ts";
import { InnerMaps } from "./inner-maps.ts";
import { PinFolder } from "./pins.ts";
import { PodMap } from "./pods/pod-map.ts";
import { Programs } from "./programs.ts";
import { takesRequests } from "./request-programs.ts";
import { NodeUnfit } from "./requirements.ts";
import { MatchTableMaps } from "./switching/match-table-maps.ts";
import { RingMaps } from "./switching/ring-maps.ts";

/** What an agent has of its node's kernel: programs, not yet attached, and the maps that it writes. */
export interface NodeKernel {
  readonly pins: PinFolder;
  readonly programs: Programs;
  readonly banks: Banks;
  readonly podMap: PodMap;
  /** Undefined: programs take no requests. */
  readonly matchTables: MatchTableMaps | undefined;
  /** As that. */
  readonly rings: RingMaps | undefined;
}

/**
 * Loads the programs and takes over the maps that are pinned. Who has it closes `banks` and `programs`.
 * @throws NodeUnfit if the kernel refuses the programs; BpfError if maps cannot be taken over
 */
export async function openNodeKernel(options: ApplierOptions): Promise<NodeKernel> {
  const pins = await PinFolder.create(options.node);
  const programs = await loadPrograms(pins, options);
  try {
    const { maps, switching } = programs;
    const outerMaps = { ...maps, ...switching?.outerMaps };
    return {
      pins,
      programs,
      banks: await Banks.open(outerMaps, new InnerMaps((name) => pins.map(name))),
      podMap: await PodMap.adopt(maps.workloads),
      matchTables: switching && (await MatchTableMaps.adopt(switching.matchTables)),
      rings: switching && (await RingMaps.adopt(switching.rings)),
    };
  } catch (error) {
    programs.close();
    throw error;
  }
}

/** A kernel that refuses them will do so again: nothing is gained by trying, and nothing by ending. */
async function loadPrograms(
  pins: PinFolder,
  { mapSizes, sockets, relay, logger }: ApplierOptions,
): Promise<Programs> {
  try {
    const isIdle = takesRequests(sockets) && relay === undefined;
    if (isIdle)
      logger.warn(`--sockets=${sockets} is as count: there is no relay that requests could be taken from`);
    const programs = await Programs.load(pins, mapSizes, isIdle ? "count" : sockets);
    const { mode, lowerBecause } = programs.sockets;
    if (lowerBecause !== undefined)
      logger.warn(`callers' sockets are treated as with --sockets=${mode}: ${lowerBecause}`);
    return programs;
  } catch (error) {
    throw error instanceof BpfError ? new NodeUnfit(error.message, error) : error;
  }
}
