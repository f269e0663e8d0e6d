import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { workspaceFolder } from "./workspace.ts";

/** The chart's settings, of which this reads how it starts the agent of a node. */
export const chartValuesFile = join(workspaceFolder, "charts/keelson/values.yaml");

interface ChartValues {
  readonly bpfApplier: {
    readonly capabilities: readonly string[];
    readonly relayCapabilities: readonly string[];
  };
}

/** The capabilities that the chart gives the agent of a node, with a relay or without, without "CAP_". */
export async function agentCapabilities(
  relay: "builtin" | "envoy" | "none" = "none",
): Promise<readonly string[]> {
  const { bpfApplier } = parse(await readFile(chartValuesFile, "utf8")) as ChartValues;
  const { capabilities, relayCapabilities } = bpfApplier;
  return relay === "none" ? capabilities : [...capabilities, ...relayCapabilities];
}

/**
 * The beginning of a command line that runs a program as the chart's DaemonSet runs the agent: as root with these
 * capabilities alone, and no way to get others.
 * @param more capabilities that the chart gives for some setting, without "CAP_"
 */
export async function withAgentRights(
  relay?: "builtin" | "envoy" | "none",
  ...more: readonly string[]
): Promise<[string, ...string[]]> {
  const names = [...(await agentCapabilities(relay)), ...more];
  const kept = ["-all", ...names.map((name) => `+${name.toLowerCase()}`)].join(",");
  return ["setpriv", `--bounding-set=${kept}`, `--inh-caps=${kept}`, "--no-new-privs", "--"];
}
