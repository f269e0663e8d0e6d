import { objectPath, switchingObjectPath } from "@keelson/bpf/object";
import { BpfObject, probeHelper } from "bpf-maps-native";
import { configureRequestPrograms } from "../request-programs.ts";
import { prepareSwitching } from "../switching/switching-programs.ts";
import { messageOf } from "./errors.ts";
import { optionalHelper } from "./features.ts";
import { type Finding, ok, warning } from "./finding.ts";

const check = "programs on sockets";

/**
 * Which modes of `--sockets` a node can have, found out by loading their programs. Nothing is attached, and nothing stays. A kernel
 * that refuses them is none the worse for the other tiers.
 */
export async function kernelTierFinding(): Promise<Finding> {
  using first = await BpfObject.open(objectPath);
  first.setReadOnlyData("can_set_errno", probeHelper("cgroup_sock_addr", optionalHelper));
  configureRequestPrograms(first);
  try {
    await first.load();
  } catch (cause) {
    return lower("off", cause);
  }
  using second = await BpfObject.open(switchingObjectPath);
  prepareSwitching(second, first, false);
  try {
    await second.load();
  } catch (cause) {
    return lower("count", cause);
  }
  return ok(check, "load, for --sockets=count, switch and queue");
}

const lower = (mode: string, cause: unknown): Finding =>
  warning(
    check,
    `an agent goes no further than --sockets=${mode}: ${messageOf(cause)}`,
    "nothing, as long as no more is asked for: what decides each request is the node's relay. They need CAP_PERFMON and Linux 6.1",
  );
