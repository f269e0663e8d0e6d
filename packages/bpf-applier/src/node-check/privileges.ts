import { readFile } from "node:fs/promises";
import { error, type Finding, ok, warning } from "./finding.ts";

/** Bit numbers of linux/capability.h. */
const capabilityBits = { NET_ADMIN: 12, SYS_PTRACE: 19, SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const;
export type Capability = keyof typeof capabilityBits;

/** The effective capabilities in /proc/PID/status (proc(5), CapEff). @throws Error if it has no such line */
export function capabilitiesIn(status: string): ReadonlySet<Capability> {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (mask === undefined) throw new Error("/proc/self/status has no line CapEff");
  const bits = BigInt(`0x${mask}`);
  const names = Object.keys(capabilityBits) as Capability[];
  return new Set(names.filter((name) => ((bits >> BigInt(capabilityBits[name])) & 1n) === 1n));
}

export const readCapabilities = async (): Promise<ReadonlySet<Capability>> =>
  capabilitiesIn(await readFile("/proc/self/status", "utf8"));

/** Programs and maps can be loaded, and attached to cgroups (kernel/bpf/syscall.c, bpf_capable and bpf_net_capable). */
export const canLoad = (held: ReadonlySet<Capability>): boolean =>
  held.has("SYS_ADMIN") || (held.has("BPF") && held.has("NET_ADMIN"));

export function judgeCapabilities(held: ReadonlySet<Capability>): Finding {
  const check = "capabilities";
  const found = held.size === 0 ? "none of BPF, NET_ADMIN, SYS_ADMIN" : [...held].sort().join(", ");
  if (canLoad(held)) return ok(check, found);
  return error(
    check,
    found,
    "run as root on the node, or in the agent's pod, which has BPF and NET_ADMIN (bpfApplier.capabilities)",
  );
}

/** A relay enters the networks of pods (setns(2)) by the processes that are in them (proc(5), /proc/PID/ns). */
export function judgeRelayRights(held: ReadonlySet<Capability>): Finding {
  const check = "networks of pods";
  const missing = (["SYS_ADMIN", "SYS_PTRACE"] as const).filter((name) => !held.has(name));
  if (missing.length === 0) return ok(check, "can be entered, as a relay must");
  return ok(check, `cannot be entered without ${missing.join(" and ")}; only a relay must`);
}

/** @param value of kernel.unprivileged_bpf_disabled; undefined where it cannot be read */
export function judgeUnprivileged(value: string | undefined): Finding {
  const check = "unprivileged bpf()";
  if (value === undefined) return ok(check, "the kernel has no such setting");
  if (value !== "0") return ok(check, "refused to others");
  return warning(
    check,
    "allowed to every process (kernel.unprivileged_bpf_disabled is 0)",
    "sysctl -w kernel.unprivileged_bpf_disabled=2: nothing of Keelson needs it, and it has been a way into kernels",
  );
}

/** @param value of /sys/kernel/security/lockdown, "none [integrity] confidentiality"; undefined without that module */
export function judgeLockdown(value: string | undefined): Finding {
  const check = "lockdown";
  const mode = value === undefined ? "none" : (/\[(\w+)\]/.exec(value)?.[1] ?? value);
  if (mode !== "confidentiality") return ok(check, mode);
  // LOCKDOWN_BPF_READ_KERNEL is asked for by helpers that read kernel memory, which none of the programs calls.
  return warning(
    check,
    "confidentiality: BPF may not read kernel memory",
    "nothing now, as no program of the connect tier does; tracing tools beside it will fail",
  );
}

/** @param enabled of net.core.bpf_jit_enable; undefined where it cannot be read */
export function judgeJit(enabled: string | undefined): Finding {
  const check = "JIT compiler";
  if (enabled === undefined) return ok(check, "the kernel has no such setting");
  if (enabled !== "0") return ok(check, "on");
  return warning(
    check,
    "off: programs are interpreted, several times slower",
    "sysctl -w net.core.bpf_jit_enable=1",
  );
}

/**
 * @param limits text of /proc/self/limits
 * @param chargedToMemoryCgroup maps count as memory of the process's cgroup, and no limit of locked memory holds
 */
export function judgeLockedMemory(limits: string, chargedToMemoryCgroup: boolean): Finding {
  const check = "locked memory";
  const limit = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1] ?? "unknown";
  if (chargedToMemoryCgroup) return ok(check, "maps are charged to the memory cgroup");
  if (limit === "unlimited") return ok(check, "unlimited");
  return warning(
    check,
    `maps are charged against a limit of ${limit} bytes`,
    "raise it for the agent (LimitMEMLOCK=infinity of the container runtime), or the tables of a large mesh do not fit",
  );
}
