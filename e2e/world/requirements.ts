import { existsSync, readFileSync } from "node:fs";
import { command } from "./command.ts";

/** Numbers of capabilities (linux/capability.h) without which neither namespaces nor programs can be made. */
const capabilities = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 };

/** What this machine lacks to run the kernel's part, each in words; nothing if it can. */
export async function missingForKernel(): Promise<string[]> {
  if (process.getuid?.() !== 0) return ["root: run it again with sudo, or as root"];
  if (!existsSync("/proc/self/status")) return ["/proc: mount it with: mount -t proc proc /proc"];
  const missing = missingCapabilities(readFileSync("/proc/self/status", "utf8")).map(
    (name) => `the capability ${name}, which root lacks here (in a container, run it privileged)`,
  );
  if (!existsSync("/sys/kernel/btf/vmlinux"))
    missing.push("type information of the kernel (CONFIG_DEBUG_INFO_BTF)");
  if (!/\tcgroup2$/m.test(readFileSync("/proc/filesystems", "utf8"))) missing.push("cgroup v2 in the kernel");
  await command("ip", ["-V"]).catch(() => missing.push("the program ip (Debian package iproute2)"));
  const refused = await whyNoBpf();
  if (refused !== undefined) missing.push(refused);
  return missing;
}

/** Names of those that are not in the effective set of a process (proc(5), /proc/self/status). */
export function missingCapabilities(status: string): string[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return Object.entries(capabilities)
    .filter(([, bit]) => (effective & (1n << BigInt(bit))) === 0n)
    .map(([name]) => name);
}

async function whyNoBpf(): Promise<string | undefined> {
  try {
    // Only now: the binding cannot even be loaded where libbpf is missing.
    const { probeProgramType } = await import("bpf-maps-native");
    return probeProgramType("cgroup_sock_addr")
      ? undefined
      : "BPF programs at cgroups (the kernel refuses them)";
  } catch (error) {
    return `BPF: ${error instanceof Error ? error.message : String(error)}`;
  }
}
