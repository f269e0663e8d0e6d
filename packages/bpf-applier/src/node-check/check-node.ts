import { readFile } from "node:fs/promises";
import { release } from "node:os";
import { resolve } from "node:path";
import { BpfLink } from "bpf-maps-native";
import { type Mount, mounts } from "../mount-table.ts";
import { PinFolder } from "../pins.ts";
import { findPodRoots } from "../pods/pod-tree.ts";
import { askAgent, judgeAgent, servingStatus } from "./agent.ts";
import { messageOf } from "./errors.ts";
import { chargesMemoryCgroup, featureFindings } from "./features.ts";
import { type CheckGroup, error, type Finding, ok, skipped } from "./finding.ts";
import { judgeLoaded, judgeNeighbours } from "./judge-neighbours.ts";
import { kernelStateFindings } from "./kernel-state.ts";
import { kernelTierFinding } from "./kernel-tier.ts";
import { knownAgent } from "./known-agents.ts";
import { proxyFinding } from "./kube-proxy.ts";
import { findNeighbours, loadedPrograms } from "./neighbours.ts";
import { filesystemOf, judgeBpffs, judgeCgroup } from "./places.ts";
import {
  canLoad,
  judgeCapabilities,
  judgeJit,
  judgeLockdown,
  judgeLockedMemory,
  judgeRelayRights,
  judgeUnprivileged,
  readCapabilities,
} from "./privileges.ts";

export interface NodeCheckOptions {
  /** Name of this node, as in the pods' spec.nodeName. */
  readonly node: string;
  /**
   * The cgroup v2 folder below which the kubelet's pods are looked for; the mount's root if left out. Hooks are looked at where
   * programs would hang: at the folder that holds all pods, or, as long as there is none, at this one.
   */
  readonly cgroup?: string;
}

export interface InstalledNodeOptions extends NodeCheckOptions {
  /** Where the agent's socket is. */
  readonly runFolder: string;
}

const orUndefined = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );

/** Looks at a node on which an agent should be: whether it is there, and all that it holds. Nothing is changed. */
export async function checkInstalledNode(options: InstalledNodeOptions): Promise<CheckGroup[]> {
  const held = await readCapabilities();
  const table = await mounts();
  const agent = await askAgent(options.runFolder, options.node);
  const serving = servingStatus(agent);
  const place = await placeOf(options.cgroup ?? serving?.cgroup, table);
  const inKernel = canLoad(held)
    ? await guarded("programs", () => kernelStateFindings(options.node, place.path, serving))
    : [withoutCapabilities("programs")];
  return [
    { title: "rights", findings: [judgeCapabilities(held)] },
    { title: "agent", findings: judgeAgent(agent) },
    { title: "programs and tables", findings: [place.finding, ...inKernel] },
    {
      title: "others on this node",
      findings: canLoad(held)
        ? await otherFindings(options.node, place)
        : [withoutCapabilities("other programs")],
    },
  ];
}

/** Looks at this node: what it offers, and who else is there. Nothing of it is changed. */
export async function checkNode(options: NodeCheckOptions): Promise<CheckGroup[]> {
  const held = await readCapabilities();
  const table = await mounts();
  const place = await placeOf(options.cgroup, table);
  const bpffs = table.find(({ type }) => type === "bpf")?.path;
  const bpffsPath = bpffs ?? "/sys/fs/bpf";
  const kernel = canLoad(held) ? await kernelFindings() : [withoutCapabilities("features")];
  return [
    {
      title: "rights",
      findings: [
        judgeCapabilities(held),
        judgeRelayRights(held),
        judgeUnprivileged(await orUndefined("/proc/sys/kernel/unprivileged_bpf_disabled")),
        judgeLockdown(await orUndefined("/sys/kernel/security/lockdown")),
      ],
    },
    {
      title: "kernel",
      findings: [
        ok("version", release()),
        judgeJit(await orUndefined("/proc/sys/net/core/bpf_jit_enable")),
        ...kernel,
      ],
    },
    {
      title: "places",
      findings: [place.finding, judgeBpffs(bpffsPath, await filesystemOf(bpffsPath), bpffs !== undefined)],
    },
    {
      title: "others on this node",
      findings: canLoad(held)
        ? await otherFindings(options.node, place)
        : [withoutCapabilities("other programs")],
    },
  ];
}

const withoutCapabilities = (check: string): Finding => skipped(check, "needs the capabilities named above");

interface CgroupPlace {
  readonly path: string | undefined;
  /** Where the filesystem that it is on is mounted. */
  readonly mount: string;
  readonly finding: Finding;
}

/** @param given the folder asked for; else the first cgroup v2 of the mount table */
async function placeOf(given: string | undefined, table: readonly Mount[]): Promise<CgroupPlace> {
  const roots = table.filter(({ type }) => type === "cgroup2").map(({ path }) => path);
  const path = given === undefined ? roots[0] : resolve(given);
  const finding = judgeCgroup(path, path === undefined ? "" : await filesystemOf(path));
  const above = roots.filter((root) => path === root || path?.startsWith(`${root}/`));
  const mount = above.reduce((one, other) => (other.length > one.length ? other : one), "");
  return { path, mount: mount === "" ? "/" : mount, finding };
}

async function kernelFindings(): Promise<Finding[]> {
  const limits = await readFile("/proc/self/limits", "utf8");
  return guarded("features", async () => [
    ...(await featureFindings()),
    await kernelTierFinding(),
    judgeLockedMemory(limits, chargesMemoryCgroup()),
  ]);
}

async function otherFindings(node: string, place: CgroupPlace): Promise<Finding[]> {
  const { path, mount, finding } = place;
  return guarded("other programs", async () => {
    const isThere = path !== undefined && finding.state === "ok";
    // Where programs would hang.
    const hooked = isThere ? (findPodRoots(path)[0] ?? path) : undefined;
    const neighbours = hooked === undefined ? [] : findNeighbours(hooked, mount, await ownPrograms(node));
    const agents = neighbours.flatMap(({ programs }) => programs.map(({ name }) => knownAgent(name ?? "")));
    const balancers = agents.flatMap((agent) => (agent?.balances === true ? [agent.name] : []));
    return [
      ...(isThere ? judgeNeighbours(neighbours) : [skipped("hooks beside others", "needs cgroup v2")]),
      judgeLoaded(loadedPrograms()),
      await proxyFinding([...new Set(balancers)]),
    ];
  });
}

/** What the kernel refuses unexpectedly is a finding, too: the other checks go on. */
async function guarded(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (cause) {
    return [error(check, messageOf(cause), "see the message; report it if it is not about this machine")];
  }
}

/** Programs on this node's pinned links, if there are any. */
async function ownPrograms(node: string): Promise<ReadonlySet<number>> {
  const pins = await PinFolder.findMounted(node);
  const own = new Set<number>();
  if (pins === undefined) return own;
  for (const name of await pins.links()) {
    using link = BpfLink.openPinned(pins.link(name));
    own.add(link.info.programId);
  }
  return own;
}
