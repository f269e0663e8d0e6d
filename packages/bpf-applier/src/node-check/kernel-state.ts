import { access } from "node:fs/promises";
import { bankHeader } from "@keelson/bpf";
import { BpfLink, BpfMap, cgroupAttachments } from "bpf-maps-native";
import { indexKey } from "../bank-headers.ts";
import { PinFolder } from "../pins.ts";
import { type Cgroup, cgroupAt, findPodRoots } from "../pods/pod-tree.ts";
import { hooks, linkPin, pinnedMaps } from "../programs.ts";
import type { AgentStatus } from "./agent.ts";
import { error, type Finding, ok, skipped, warning } from "./finding.ts";
import { shortHook } from "./judge-neighbours.ts";

const restart = "start the agent again: it attaches and pins what is missing";

/**
 * Whether the programs hang where they should, and the tables are those that the agent speaks of.
 * @param cgroup where callers are served; undefined if that is not known
 * @throws BpfError for what the kernel refuses to tell
 */
export async function kernelStateFindings(
  node: string,
  cgroup: string | undefined,
  agent: AgentStatus | undefined,
): Promise<Finding[]> {
  const pins = await PinFolder.findMounted(node);
  if (pins === undefined) return [error("pins", "no bpffs is mounted here", restart)];
  const missing = await missingMaps(pins);
  if (missing.length === pinnedMaps.length)
    return [
      error(
        "pins",
        `none of this version in ${pins.path}`,
        `${restart}; or give the node's name (--node-name)`,
      ),
    ];
  return [
    cgroup === undefined ? skipped("programs", "the cgroup is not known") : await judgeLinks(pins, cgroup),
    missing.length === 0 ? ok("pins", pins.path) : error("pins", `missing: ${missing.join(", ")}`, restart),
    judgeGeneration(await liveGeneration(pins), agent),
    judgeOtherLayouts(await pins.otherLayouts()),
  ];
}

async function missingMaps(pins: PinFolder): Promise<string[]> {
  const isThere = await Promise.all(
    pinnedMaps.map((name) =>
      access(pins.map(name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return pinnedMaps.filter((_, index) => isThere[index] === false);
}

/** Each hook has its link above all pods, and the cgroup there runs its program. */
async function judgeLinks(pins: PinFolder, cgroup: string): Promise<Finding> {
  const check = "programs";
  const roots = findPodRoots(cgroup).flatMap((path) => cgroupAt(path) ?? []);
  if (roots.length === 0)
    return warning(
      check,
      `no kubelet has a cgroup for pods (kubepods.slice, kubepods) below ${cgroup}`,
      "nothing hangs there before it has: see that it runs, and that --cgroup is above its cgroups",
    );
  const pinned = new Set(await pins.links());
  const wrong = roots.flatMap((root) => wrongLinks(pins, pinned, root));
  const paths = roots.map(({ path }) => path).join(", ");
  if (wrong.length === 0) return ok(check, `all ${hooks.length} hang on ${paths}`);
  return error(check, wrong.join(", "), restart);
}

function wrongLinks(pins: PinFolder, pinned: ReadonlySet<string>, { path, id }: Cgroup): string[] {
  return hooks.flatMap(([name, hook]) => {
    const pin = linkPin(name, id);
    if (!pinned.has(pin)) return [`${shortHook(hook)} has no link to ${path}`];
    using link = BpfLink.openPinned(pins.link(pin));
    const { cgroupId, programId } = link.info;
    if (cgroupId === 0n) return [`${shortHook(hook)} is detached`];
    return cgroupAttachments(path, hook).programIds.includes(programId)
      ? []
      : [`${shortHook(hook)} is not run by ${path}`];
  });
}

/** How often the tables that programs read were replaced, read from them; undefined before the first. */
async function liveGeneration(pins: PinFolder): Promise<bigint | undefined> {
  using active = BpfMap.openPinned(pins.map("active"));
  const id = active.innerId(indexKey(0));
  for (const bank of [0, 1]) {
    using header = BpfMap.openPinned(pins.map(`bank_header_${bank}`));
    const value = header.info.id === id ? header.lookup(indexKey(0)) : undefined;
    if (value !== undefined) return bankHeader.decode(value).generation;
  }
  return undefined;
}

export function judgeGeneration(generation: bigint | undefined, agent: AgentStatus | undefined): Finding {
  const check = "tables";
  if (generation === undefined)
    return warning(check, "empty: no policy was ever written", "wait until the agent is connected");
  const found = `replaced ${generation} times`;
  if (agent === undefined) return ok(check, `${found}; what the agent has written cannot be asked for`);
  if (agent.flips === String(generation)) return ok(check, `${found}, as the agent says`);
  return error(
    check,
    `${found}, but the agent says ${agent.flips}`,
    "two agents may write to them: end one of them",
  );
}

function judgeOtherLayouts(names: readonly string[]): Finding {
  const check = "other versions";
  if (names.length === 0) return ok(check, "no tables of any are left");
  return warning(check, `tables of other versions: ${names.join(", ")}`, `${restart}, and removes these`);
}
