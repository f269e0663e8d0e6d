import { readFile } from "node:fs/promises";
import { objectPath } from "@keelson/bpf/object";
import {
  BpfObject,
  type MapType,
  type ProgramType,
  probeHelper,
  probeMapType,
  probeProgramType,
} from "bpf-maps-native";
import { hooks } from "../programs.ts";
import { leaveOutRequestPrograms } from "../request-programs.ts";
import { codeOf, messageOf } from "./errors.ts";
import { error, type Finding, ok, warning } from "./finding.ts";

/** What bpf/ has. */
const programTypes = ["cgroup_sock_addr", "sock_ops"] as const satisfies readonly ProgramType[];

/** What bpf/ calls, all of it in programs of the first type. A test compares both lists with the sources. */
export const neededHelpers = [
  "bpf_get_current_ancestor_cgroup_id",
  "bpf_get_current_cgroup_id",
  "bpf_get_netns_cookie",
  "bpf_get_prandom_u32",
  "bpf_get_socket_cookie",
  "bpf_map_lookup_elem",
  "bpf_map_update_elem",
  "bpf_sk_lookup_tcp",
  "bpf_sk_release",
  "bpf_sk_storage_delete",
  "bpf_sk_storage_get",
] as const;

/** Called only where the kernel has it. */
export const optionalHelper = "bpf_set_retval";

export const neededMaps = [
  "array",
  "array_of_maps",
  "hash",
  "lru_hash",
  "percpu_array",
  "percpu_hash",
  "prog_array",
  "ringbuf",
  "sk_storage",
  "sockhash",
] as const satisfies readonly MapType[];

const needsNewerKernel =
  "use a kernel of 6.1 or newer on this node, or leave it out (bpfApplier.nodeSelector)";

/** What the connect tier needs of the kernel, found out by loading it. Nothing is attached, and nothing stays. */
export async function featureFindings(): Promise<Finding[]> {
  const type = "cgroup_sock_addr";
  const refused = programTypes.filter((one) => !probeProgramType(one));
  if (refused.length > 0) {
    const found = `programs on sockets are refused: ${refused.join(", ")}`;
    return [
      await judgedBtf(),
      error("program types", found, `CONFIG_CGROUP_BPF is needed: ${needsNewerKernel}`),
    ];
  }
  const missingHelpers = neededHelpers.filter((helper) => !probeHelper(type, helper));
  const missingMaps = neededMaps.filter((map) => !probeMapType(map));
  return [
    await judgedBtf(),
    ok("program types", programTypes.join(", ")),
    judgeMissing("helpers", neededHelpers.length, missingHelpers),
    judgeMissing("map types", neededMaps.length, missingMaps),
    judgeRefusal(probeHelper(type, optionalHelper)),
    ...(await loadFindings()),
  ];
}

/** Whether maps are charged to a memory cgroup: so since 5.11, as has this helper (libbpf finds it out in this way, too). */
export const chargesMemoryCgroup = (): boolean => probeHelper("socket_filter", "bpf_ktime_get_coarse_ns");

async function judgedBtf(): Promise<Finding> {
  const path = "/sys/kernel/btf/vmlinux";
  try {
    const bytes = (await readFile(path)).length;
    return ok("BTF", `${path}, ${Math.round(bytes / 1024)} KiB`);
  } catch (cause) {
    return error(
      "BTF",
      `no ${path} (${codeOf(cause) ?? messageOf(cause)})`,
      "use a kernel with CONFIG_DEBUG_INFO_BTF, as those of all large distributions are",
    );
  }
}

export function judgeMissing(check: string, needed: number, missing: readonly string[]): Finding {
  if (missing.length === 0) return ok(check, `all ${needed} that are needed`);
  return error(check, `missing: ${missing.join(", ")}`, needsNewerKernel);
}

export function judgeRefusal(canSetErrno: boolean): Finding {
  const check = "refused calls";
  if (canSetErrno) return ok(check, `callers get ECONNREFUSED (${optionalHelper})`);
  return warning(
    check,
    `callers get EPERM where it should be ECONNREFUSED: no ${optionalHelper}`,
    "nothing, if programs can live with that; kernels have it since 5.18",
  );
}

async function loadFindings(): Promise<Finding[]> {
  using object = await BpfObject.open(objectPath);
  object.setReadOnlyData("can_set_errno", probeHelper("cgroup_sock_addr", optionalHelper));
  leaveOutRequestPrograms(object);
  // Only the shape counts, not the room.
  for (const name of ["callers", "edges", "flows", "workloads"])
    object.configureMap(name, { maxEntries: 64 });
  try {
    await object.load();
  } catch (cause) {
    const advice = `report it with the kernel's version and ${needsNewerKernel}`;
    return [error("Keelson's programs", messageOf(cause), advice)];
  }
  let instructions = 0;
  const unlinked: string[] = [];
  for (const [name, attachType] of hooks) {
    using program = object.program(name);
    instructions += program.info.verifiedInstructions;
    if (!program.probeCgroupLink(attachType)) unlinked.push(attachType);
  }
  return [
    ok("Keelson's programs", `all ${hooks.length} load (${instructions} instructions verified)`),
    judgeMissing("links of cgroups", hooks.length, unlinked),
  ];
}
