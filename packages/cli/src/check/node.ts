import type { CheckGroup } from "@keelson/bpf-applier/finding";
import type { InstalledNodeOptions } from "@keelson/bpf-applier/node-check";
import { messageOf } from "../caught.ts";
import type { Phase } from "./report.ts";

/**
 * What is found on this machine as a node. The check's code needs libbpf, which commands for a laptop do not, so it is
 * loaded here only.
 */
export async function nodeGroups(
  phase: Phase,
  options: InstalledNodeOptions,
): Promise<readonly CheckGroup[]> {
  let check: typeof import("@keelson/bpf-applier/node-check");
  try {
    check = await import("@keelson/bpf-applier/node-check");
  } catch (cause) {
    const [found = ""] = messageOf(cause).split("\n");
    const advice = "run on Linux with libbpf (Debian: libbpf1), or in the agent's pod, which has it";
    return [{ title: "node", findings: [{ check: "libbpf", state: "error", found, advice }] }];
  }
  return phase === "pre" ? check.checkNode(options) : check.checkInstalledNode(options);
}
