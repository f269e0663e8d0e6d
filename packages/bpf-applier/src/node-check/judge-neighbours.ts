import { error, type Finding, ok, skipped, warning } from "./finding.ts";
import { type KnownAgent, knownAgent } from "./known-agents.ts";
import type { ForeignProgram, Neighbours } from "./neighbours.ts";

const agentOf = ({ name }: ForeignProgram): KnownAgent | undefined =>
  name === undefined ? undefined : knownAgent(name);

/** "Cilium's cil_sock4_conne", "monitor", "program 17". */
function described(program: ForeignProgram): string {
  const agent = agentOf(program);
  const name = program.name ?? `program ${program.id}`;
  return agent === undefined ? name : `${name} of ${agent.name}`;
}

const sameHooks = "hooks beside others";

const below =
  "start a kubelet: Keelson's programs hang on the cgroup that it makes for all pods (kubepods.slice, kubepods) below this one, " +
  "and programs of a lower cgroup run first, and attach freely there";

/**
 * What others' programs mean for ours, which are attached as links, so in the mode "multi".
 * In short (kernel/bpf/cgroup.c, hierarchy_allows_attach and compute_effective_progs): the nearest cgroup above with a
 * program decides whether one may be attached; programs of lower cgroups run before those of higher ones, within one
 * cgroup in the order they were attached, and each sees the address as the one before left it.
 */
export function judgeNeighbours(neighbours: readonly Neighbours[]): Finding[] {
  if (neighbours.length === 0) return [ok(sameHooks, "no other program on the hooks of the connect tier")];
  // Most agents put one program on each hook: one line for all that are alike.
  const lines = new Map<string, { finding: Finding; hooks: string[] }>();
  for (const one of neighbours) {
    const isNearest = !neighbours.some(({ hook, level }) => hook === one.hook && level < one.level);
    const finding = judgeOne(one, isNearest);
    const key = JSON.stringify([
      one.cgroup,
      one.runsAfter,
      finding.state,
      finding.advice,
      one.programs.map((p) => agentOf(p)?.name),
    ]);
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { finding, hooks: [one.hook] });
    else line.hooks.push(one.hook);
  }
  return [...lines.values()].map(({ finding, hooks }) => ({
    ...finding,
    found: `${hooks.map(shortHook).join(", ")}: ${finding.found}`,
  }));
}

/** "cgroup_inet4_connect" → "connect4", as libbpf names sections. */
export function shortHook(hook: string): string {
  const [, family = "", call = ""] = /^cgroup_(?:inet|udp)([46])_(\w+)$/.exec(hook) ?? [];
  return call === "" ? hook : `${call}${family}`;
}

function judgeOne(neighbours: Neighbours, isNearest: boolean): Finding {
  const { cgroup, level, mode, runsAfter, programs } = neighbours;
  const where = `${programs.map(described).join(", ")} at ${cgroup}`;
  if (mode === "exclusive" && isNearest) {
    return error(
      sameHooks,
      `${where}, attached so that nobody else may be, here or below`,
      "no program of Keelson can be attached beside it: end it, or have it attached with BPF_F_ALLOW_MULTI",
    );
  }
  if (mode === "override" && isNearest) return judgeOverride(where, level);
  if (level > 0 || runsAfter)
    return judgeAfter(where, programs, level > 0 ? "above ours" : "attached after ours");
  return judgeBefore(where, programs);
}

/** In its own cgroup the kernel refuses another mode (EPERM); from above it is silently replaced. */
function judgeOverride(where: string, level: number): Finding {
  if (level === 0)
    return error(sameHooks, `${where}, attached so that only one may be here (BPF_F_ALLOW_OVERRIDE)`, below);
  return warning(
    sameHooks,
    `${where}, attached so that one below takes its place (BPF_F_ALLOW_OVERRIDE)`,
    "it no longer runs for callers that Keelson serves: have it attached with BPF_F_ALLOW_MULTI if it should",
  );
}

function judgeAfter(where: string, programs: readonly ForeignProgram[], why: string): Finding {
  const found = `${where}, ${why}: it runs after them and sees the endpoint chosen`;
  if (programs.every((program) => agentOf(program) !== undefined)) return ok(sameHooks, found);
  return warning(sameHooks, found, "make sure that it lets addresses of endpoints be");
}

function judgeBefore(where: string, programs: readonly ForeignProgram[]): Finding {
  const agents = programs.map(agentOf);
  if (agents.some((agent) => agent?.balances === true)) {
    return error(
      sameHooks,
      `${where}, where it runs before ours: services' addresses are gone when they look, and rules have no effect`,
      `${below}; or switch its balancing of services' sockets off (Cilium: socketLB.enabled=false, Calico: ` +
        "bpfConnectTimeLoadBalancing: Disabled)",
    );
  }
  const found = `${where}, where it runs before ours`;
  if (agents.every((agent) => agent !== undefined)) return ok(sameHooks, found);
  return warning(
    sameHooks,
    found,
    `make sure that it lets services' addresses be, or ${below}` +
      (programs.some(({ name }) => name === undefined) ? ". Run as root on the node to see its name" : ""),
  );
}

/** Agents whose programs are loaded, wherever they hang; packets of native connections pass those as any others do. */
export function judgeLoaded(programs: readonly { name: string; type: string }[] | undefined): Finding {
  const check = "other eBPF agents";
  if (programs === undefined)
    return skipped(
      check,
      "the kernel tells names of others' programs only to CAP_SYS_ADMIN: run as root on the node",
    );
  const counts = new Map<string, Map<string, number>>();
  for (const { name, type } of programs) {
    const agent = knownAgent(name)?.name;
    if (agent === undefined) continue;
    const types = counts.get(agent) ?? new Map<string, number>();
    counts.set(agent, types.set(type, (types.get(type) ?? 0) + 1));
  }
  if (counts.size === 0)
    return ok(check, `none that is known among ${programs.length} programs in the kernel`);
  const parts = [...counts].map(
    ([agent, types]) => `${agent} (${[...types].map(([type, count]) => `${count} ${type}`).join(", ")})`,
  );
  return ok(check, parts.join(", "));
}
